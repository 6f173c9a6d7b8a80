"""The signed link of a reporter's page: it names the notice, and nobody can make one who has not our key."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from triage.models import Notice

SALT = "feedbackhub.reporter-page"


def token_for(notice) -> str:
    return signing.dumps(str(notice.public_id), salt=SALT)


def page_of(notice) -> str:
    """The address of the reporter's page."""
    return settings.BASE_URL + reverse("reporter_page", args=[token_for(notice)])


def find_notice(token: str) -> Notice | None:
    """The notice of a link; None for a forged one, and for a person who was erased."""
    try:
        public_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return (
        Notice.objects.filter(public_id=public_id, reporter__erased_at=None)
        .select_related("reporter", "fix", "project")
        .first()
    )
