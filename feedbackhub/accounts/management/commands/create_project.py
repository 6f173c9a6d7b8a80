from feedbackhub.accounts.members import create_project
from feedbackhub.accounts.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Make a project with the default label schema, queue and routing rules; prints it as JSON."
    )

    def add_arguments(self, parser):
        parser.add_argument("slug", help="short name in addresses: letters, digits, hyphens")
        parser.add_argument("--name", help="what people call it (default: the slug)")

    def run(self, *, slug, name, **options):
        project = create_project(slug=slug, name=name or slug)
        return {"id": project.public_id, "slug": project.slug, "name": project.name}
