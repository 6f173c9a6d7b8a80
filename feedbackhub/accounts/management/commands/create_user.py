import sys

from django.contrib.auth.password_validation import validate_password

from feedbackhub.accounts.members import add_member
from feedbackhub.accounts.models import User
from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.accounts.permissions import Role


class Command(OperatorCommand):
    help = (
        "Make a person, or give one that exists another role in a project; prints them as JSON. The password is read "
        "from standard input with --password-stdin; without one the person signs in by a password-reset link."
    )

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--name", help="what people call them (default: the part before the @)")
        self.add_project_argument(parser)
        parser.add_argument(
            "--role", action="append", required=True, choices=Role.values, help="may be repeated"
        )
        parser.add_argument("--password-stdin", action="store_true")

    def run(self, *, email, name, project, role, password_stdin, **options):
        password = sys.stdin.readline().rstrip("\n") if password_stdin else None
        if password is not None:
            validate_password(password, User(email=email, name=name or ""))
        membership, is_new = add_member(
            project=self.find_project(project),
            email=email,
            name=name,
            roles=role,
            password=password,
        )
        user = membership.user
        return {
            "id": user.public_id,
            "email": user.email,
            "name": user.name,
            "project": project,
            "roles": membership.roles,
            "is_new": is_new,
        }
