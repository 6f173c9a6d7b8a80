from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("annotation", "0010_fill_queuepause"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="queuemember",
            name="paused_at",
        ),
    ]
