from django.db import migrations


def fill(apps, schema_editor):
    """A pause stands in a row of its own: a queue that names nobody has pauses too."""
    QueueMember = apps.get_model("annotation", "QueueMember")
    QueuePause = apps.get_model("annotation", "QueuePause")
    QueuePause.objects.bulk_create(
        [
            QueuePause(
                project_id=member.project_id,
                queue_id=member.queue_id,
                user_id=member.user_id,
                paused_at=member.paused_at,
            )
            for member in QueueMember.objects.filter(paused_at__isnull=False)
        ],
        ignore_conflicts=True,  # there and back again
    )


def empty(apps, schema_editor):
    QueueMember = apps.get_model("annotation", "QueueMember")
    QueuePause = apps.get_model("annotation", "QueuePause")
    for pause in QueuePause.objects.all():
        QueueMember.objects.filter(queue=pause.queue_id, user=pause.user_id).update(
            paused_at=pause.paused_at
        )


class Migration(migrations.Migration):

    dependencies = [
        ("annotation", "0009_pauses_mentions_attention"),
    ]

    operations = [migrations.RunPython(fill, empty)]
