from django.core.management.base import CommandError

from annotation.gold import NothingToFreeze, freeze_gold_version
from annotation.refusals import InvalidAnswer
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Freeze the approved gold of a project as its next version; prints it as JSON."

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument("--description", default="", help="what this version is for")
        parser.add_argument(
            "--tag", action="append", default=[], help="e.g. release-14; may be repeated"
        )

    def run(self, *, project, description, tag, **options):
        try:
            version = freeze_gold_version(
                project=self.find_project(project), description=description, tags=tag
            )
        except (NothingToFreeze, InvalidAnswer) as error:
            raise CommandError(str(error)) from error
        return {
            "number": version.number,
            "examples": version.example_count,
            "digest": version.digest,
        }
