import json
import os
import sys

from django.core.management.base import CommandError

from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.outbound import OutboundError
from triage import connections
from triage.models import TicketState
from triage.trackers import TRACKERS
from triage.trackers.base import ConfigError


def _settings() -> str:
    return "\n".join(
        f"  {name}: "
        + ", ".join(
            f"{field.name}{' (secret)' if field.is_secret else ''}{'' if field.required else '?'}"
            for field in tracker.config_fields
        )
        for name, tracker in sorted(TRACKERS.items())
    )


class Command(OperatorCommand):
    help = (
        "Connect a project to a tracker; prints the connection as JSON with the address for the tracker's webhook. "
        "Secrets come from the environment or from standard input, never from arguments, and are not printed. "
        f"Settings by tracker (? may be left out):\n{_settings()}"
    )

    def add_arguments(self, parser):
        self.add_project_argument(parser)
        parser.add_argument("--name", required=True, help="what the project calls it")
        parser.add_argument("--tracker", required=True, choices=sorted(TRACKERS))
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting that is no secret, e.g. base_url=https://acme.atlassian.net; may be repeated",
        )
        parser.add_argument(
            "--secret-env",
            action="append",
            default=[],
            metavar="NAME=VARIABLE",
            help="a secret, by the environment variable that holds it: api_token=JIRA_TOKEN; may be repeated",
        )
        parser.add_argument(
            "--secrets-stdin",
            action="store_true",
            help="read the secrets from standard input, as one JSON object",
        )
        parser.add_argument(
            "--status",
            action="append",
            default=[],
            metavar="NAME=STATE",
            help=f"what a status of the tracker means here ({', '.join(TicketState.values)}); may be repeated",
        )
        parser.add_argument(
            "--files-from",
            choices=Severity.values,
            default=Severity.HIGH,
            help="the least severity that it files by itself",
        )
        parser.add_argument("--by-hand", action="store_true", help="it files nothing by itself")
        parser.add_argument(
            "--test", action="store_true", help="try it first; nothing is kept when that fails"
        )

    def run(self, *, project, name, tracker, by_hand, files_from, test, **options):
        status_map = _pairs(options["status"], "--status")
        for state in status_map.values():
            if state not in TicketState.values:
                raise CommandError(f"--status: {state} is none of {', '.join(TicketState.values)}.")
        config, secrets = _pairs(options["set"], "--set"), self._secrets(options)
        self._refuse_misplaced(tracker, config, secrets)
        project = self.find_project(project)
        try:
            report = (
                connections.try_settings(tracker=tracker, config=config, secrets=secrets)
                if test
                else None
            )
            connection = connections.create_connection(
                project=project,
                name=name,
                tracker=tracker,
                config=config,
                secrets=secrets,
                status_map=status_map,
                files_by_itself=not by_hand,
                files_from=files_from,
            )
        except ConfigError as error:
            raise CommandError(" ".join(error.errors.values())) from None
        except OutboundError as error:
            raise CommandError(error.message) from None
        answer = {
            "id": connection.public_id,
            "name": connection.name,
            "tracker": connection.tracker,
            "config": connection.config,
            "files_by_itself": connection.files_by_itself,
            "files_from": connection.files_from,
            "webhook_url": connections.webhook_url(connection),
        }
        return (
            answer
            if report is None
            else answer | {"found": report.lines, "warnings": report.warnings}
        )

    @staticmethod
    def _secrets(options) -> dict:
        secrets = {}
        if options["secrets_stdin"]:
            try:
                secrets = json.load(sys.stdin)
            except ValueError:
                secrets = None
            if not isinstance(secrets, dict) or not all(
                isinstance(v, str) for v in secrets.values()
            ):
                raise CommandError("Standard input must hold one JSON object of texts.")
        for name, variable in _pairs(options["secret_env"], "--secret-env").items():
            if variable not in os.environ:
                raise CommandError(f"--secret-env: the variable {variable} is not set.")
            secrets[name] = os.environ[variable]
        return secrets

    @staticmethod
    def _refuse_misplaced(tracker, config, secrets):
        fields = {field.name: field for field in TRACKERS[tracker].config_fields}
        for name in [*config, *secrets]:
            if name not in fields:
                raise CommandError(f"{tracker} has no setting {name}. It has: {', '.join(fields)}.")
        for name in config:
            if fields[name].is_secret:
                raise CommandError(
                    f"{name} is a secret: give it by --secret-env or --secrets-stdin."
                )
        for name in secrets:
            if not fields[name].is_secret:
                raise CommandError(f"{name} is no secret: give it by --set.")


def _pairs(given: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"{option}: write NAME=VALUE.")
        pairs[name.strip()] = value
    return pairs
