from django.core.management.base import CommandError

from feedbackhub.accounts.api_keys import create_api_key
from feedbackhub.accounts.models import ApiKey
from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.accounts.permissions import Scope


class Command(OperatorCommand):
    help = "Make an API key; prints it as JSON with its secret, which is shown this once and kept nowhere."

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument("--name", required=True, help="what uses the key")
        parser.add_argument(
            "--scope", action="append", default=[], choices=Scope.values, help="may be repeated"
        )
        parser.add_argument(
            "--public", action="store_true", help="a key for browsers: feedback only, from --origin"
        )
        parser.add_argument(
            "--origin",
            action="append",
            default=[],
            help="e.g. https://app.example.com; may be repeated",
        )

    def run(self, *, project, name, scope, public, origin, **options):
        if public and (scope or not origin):
            raise CommandError("A public key has no scopes and needs at least one --origin.")
        if not public and not scope:
            raise CommandError("Say what the key may do: --scope capture, for instance.")
        key, secret = create_api_key(
            project=self.find_project(project),
            name=name,
            scopes=scope,
            kind=ApiKey.Kind.PUBLIC if public else ApiKey.Kind.SECRET,
            origins=origin,
        )
        return {
            "id": key.public_id,
            "name": key.name,
            "kind": key.kind,
            "scopes": key.scopes,
            "secret": secret,
        }
