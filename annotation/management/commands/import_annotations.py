from pathlib import Path

from django.core.management.base import CommandError

from annotation.importing_judgements import import_file
from annotation.judgement_mappings import MAPPINGS
from annotation.models import ReviewQueue
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Import judgements that people gave elsewhere, from a .jsonl or .jsonl.gz file, as annotations of as many people. "
        "The answers themselves come first, by import_interactions. Run again, nothing is doubled. Prints as JSON what "
        "became of the judgements."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        self.add_project_argument(parser)
        parser.add_argument(
            "--mapping",
            choices=list(MAPPINGS),
            default="native",
            help="native: rows as the API takes them (default); others: research sets, see docs/importing.md",
        )
        parser.add_argument(
            "--queue", default="", metavar="SLUG", help="for rows that name no queue"
        )

    def run(self, *, file, project, mapping, queue, **options):
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        found = self.find_project(project)
        if queue and not ReviewQueue.objects.for_project(found).filter(slug=queue).exists():
            raise CommandError(f"There is no queue {queue!r} in {project}.")
        try:
            progress = import_file(project=found, path=file, mapping=mapping, queue=queue)
        except (OSError, EOFError) as error:
            raise CommandError(f"{file.name} cannot be read to its end: {error}.") from error
        return {
            "rows": progress.lines,
            **dict(sorted(progress.counts.items())),
            "errors": progress.errors,
        }
