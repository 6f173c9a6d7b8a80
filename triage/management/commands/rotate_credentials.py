from django.core.management.base import CommandError

from feedbackhub.accounts.operator_command import OperatorCommand
from triage import credentials


class Command(OperatorCommand):
    help = (
        "Seal all tracker credentials under the first of CREDENTIAL_KEYS; prints how many as JSON."
    )

    def run(self, **options):
        try:
            return {"rotated": credentials.rotate()}
        except credentials.CredentialsLost as lost:
            raise CommandError(str(lost)) from None
