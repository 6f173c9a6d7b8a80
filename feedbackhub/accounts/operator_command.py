"""What the commands of an operator's script share: `--project`, an actor for the audit trail, one JSON object out."""

import json

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from feedbackhub.accounts.models import Project
from feedbackhub.audit.acting import acting


class OperatorCommand(BaseCommand):
    """Subclasses write `run(**options) -> dict`, which is printed as one line of JSON on standard output.

    What goes wrong is one plain sentence on standard error and exit code 1.
    """

    requires_migrations_checks = True

    def handle(self, *args, **options):
        name = type(self).__module__.rsplit(".", 1)[-1]
        try:
            with acting(action=f"manage.py {name}"):
                answer = self.run(**options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder, ensure_ascii=False))

    def run(self, **options) -> dict:
        raise NotImplementedError

    @staticmethod
    def add_project_argument(parser):
        parser.add_argument("--project", required=True, metavar="SLUG", help="the project's slug")

    @staticmethod
    def find_project(slug: str) -> Project:
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            known = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no project {slug!r}. There is: {known or 'none yet'}.")
        return project
