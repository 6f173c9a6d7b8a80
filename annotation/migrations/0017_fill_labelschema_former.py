from django.db import migrations


def keep_what_was_retired(apps, schema_editor):
    """What earlier versions had and the current one has not was retired: it can be restored from there."""
    LabelSchema = apps.get_model("annotation", "LabelSchema")
    for now in LabelSchema.objects.filter(is_current=True, version__gt=1).iterator():
        earlier = LabelSchema.objects.filter(
            project_id=now.project_id, name=now.name, version__lt=now.version
        ).order_by("version")
        rows = {row["key"]: row for version in earlier for row in version.categories}
        known = {row["key"] for row in [*now.categories, *now.former]}
        gone = [{**row, "into": []} for key, row in rows.items() if key not in known]
        if gone:
            now.former = [*now.former, *gone]
            now.save(update_fields=["former"])


class Migration(migrations.Migration):
    dependencies = [("annotation", "0016_label_schema_history")]

    operations = [migrations.RunPython(keep_what_was_retired, migrations.RunPython.noop)]
