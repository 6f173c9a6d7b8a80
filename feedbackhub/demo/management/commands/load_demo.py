from django.conf import settings

from feedbackhub.accounts.demo_sign_in import sign_in_link
from feedbackhub.accounts.models import Membership
from feedbackhub.accounts.operator_command import OperatorCommand
from feedbackhub.demo import loading


class Command(OperatorCommand):
    help = (
        "Load the demo project: about 400 invented interactions in three fields, judged in part. A second time changes "
        "nothing. Prints as JSON the project and, where DEMO_SIGN_IN is on, a sign-in link for each of its people."
    )

    def run(self, **options):
        project, is_new = loading.load()
        members = Membership.objects.filter(project=project).select_related("user").order_by("id")
        return {
            "project": project.slug,
            "is_new": is_new,
            "people": [
                {
                    "name": member.user.name,
                    "roles": member.roles,
                    "sign_in": sign_in_link(member.user) if settings.DEMO_SIGN_IN else None,
                }
                for member in members
            ],
        }
