from django.db import migrations
from django.db.models import F


def say_since_when(apps, schema_editor):
    """What is done was downloadable since then."""
    apps.get_model("annotation", "ExportRun").objects.filter(state="done").update(
        first_done_at=F("finished_at")
    )


class Migration(migrations.Migration):
    dependencies = [("annotation", "0020_export_first_done")]

    operations = [migrations.RunPython(say_since_when, migrations.RunPython.noop)]
