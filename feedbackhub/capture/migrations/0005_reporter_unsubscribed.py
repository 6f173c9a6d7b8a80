"""Who is unsubscribed, by address; built while feedback goes on coming in."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0004_wants_digest"), ("capture", "0004_interaction_tools")]

    operations = [
        AddIndexConcurrently(
            model_name="reporter",
            index=models.Index(
                models.F("project"),
                Upper("email"),
                condition=models.Q(unsubscribed_at__isnull=False),
                name="reporter_unsubscribed",
            ),
        )
    ]
