from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.outbox import sweeping


class Command(OperatorCommand):
    help = (
        "Finish what a lost message or a killed process left behind; prints as JSON what each broom moved. Beat does this "
        "every 30 s; run it by hand (or from cron) where no beat runs."
    )

    def run(self, **options):
        return {"swept": sweeping.sweep()}
