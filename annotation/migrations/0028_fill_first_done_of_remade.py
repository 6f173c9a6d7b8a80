from django.db import migrations


def say_since_when(apps, schema_editor):
    """What was done once, however it stands now, was downloadable since then: the audit trail knows when."""
    runs = apps.get_model("annotation", "ExportRun").objects.filter(first_done_at=None)
    events = apps.get_model("annotation", "ExportRunEvent").objects.filter(state="done")
    done = events.filter(pgh_obj__in=runs.values("pk")).order_by("-pgh_created_at")
    for run_id, at in done.values_list("pgh_obj_id", "pgh_created_at"):  # the earliest comes last
        runs.model.objects.filter(pk=run_id).update(first_done_at=at)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0027_defaults_for_old_code")]

    operations = [migrations.RunPython(say_since_when, migrations.RunPython.noop)]
