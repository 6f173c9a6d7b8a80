from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.capture import languages


class Command(OperatorCommand):
    help = "Tell the language of the answers that came in before it was looked at. Safe to stop and to repeat."

    def run(self, **options):
        return {"interactions": languages.fill()}
