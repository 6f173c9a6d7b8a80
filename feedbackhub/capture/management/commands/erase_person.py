from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.capture.erasure import erase_person, person_hash


class Command(OperatorCommand):
    help = (
        "Forget a person everywhere: interactions, feedback, quotes, corrections, gold, files of earlier exports and mail "
        "still to be sent. It cannot be undone. Prints as JSON how many rows were emptied."
    )

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument(
            "reference", help="the user id or reporter ref, as your product sends it"
        )

    def run(self, *, project, reference, **options):
        project = self.find_project(project)
        return erase_person(
            project=project, ref_hash=person_hash(project=project, reference=reference)
        )
