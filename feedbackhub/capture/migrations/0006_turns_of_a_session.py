"""The turns of a session in their order, by index; built while the product goes on capturing."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("capture", "0005_reporter_unsubscribed")]

    operations = [
        AddIndexConcurrently(
            model_name="interaction",
            index=models.Index(
                fields=["project", "session_id", "occurred_at", "id"],
                condition=~models.Q(session_id=""),
                name="interaction_session_turns",
            ),
        ),
        RemoveIndexConcurrently(model_name="interaction", name="interaction_session"),
    ]
