from django.db import migrations
from django.utils import timezone


def look_once(apps, schema_editor):
    """Items that a pause once sent to the leads, and that somebody can judge again, go back in line."""
    apps.get_model("annotation", "ReviewQueue").objects.update(judges_changed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("annotation", "0029_judges_changed_at")]

    operations = [migrations.RunPython(look_once, migrations.RunPython.noop)]
