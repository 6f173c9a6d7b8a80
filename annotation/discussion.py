"""What people say about an item to each other, and whom they name in it.

Who may search interactions reads every discussion, but for what they have to judge blind themselves. An expert reads that of
an item they had themselves, once it cannot sway them: they passed it on, or they judged it and it is no longer open (in a
queue that is not blind: at once). Once others wrote there who judged it too, or decide about it, an own answer to a blind item
is changed no more unless a lead sends it back. Only who can read a discussion can be named in it.
"""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Annotation, Assignment, ItemComment, Mention, ReviewItem
from annotation.queries import kept_from
from annotation.refusals import WrongState
from feedbackhub.accounts.models import Membership, User

LONGEST = 4_000
CLOSED = [ReviewItem.State.DISPUTED, ReviewItem.State.SETTLED, ReviewItem.State.DISMISSED]

_HAD = (
    Q(state=Assignment.State.SKIPPED)
    | Q(state=Assignment.State.SUBMITTED, item__state__in=CLOSED)
    | Q(item__queue__is_blind=False)
)


def readable_by(membership: Membership):
    """The items whose discussion this member may read."""
    items = ReviewItem.objects.filter(project=membership.project_id)
    if membership.may("search_interactions"):
        own = {"project": membership.project_id, "expert": membership.user_id}
        return items.exclude(kept_from(**own))
    if not membership.may("judge"):
        return items.none()
    had = Assignment.objects.filter(_HAD, project=membership.project_id, expert=membership.user_id)
    return items.filter(pk__in=had.values("item"))


def readers_of(item: ReviewItem) -> list[User]:
    """Who can read the discussion of this item, by name: they can be named in it."""
    had = set(Assignment.objects.filter(_HAD, item=item).values_list("expert", flat=True))
    members = Membership.objects.filter(project=item.project_id, user__is_active=True)
    return [
        member.user
        for member in members.select_related("user").order_by("user__name", "pk")
        if member.may("search_interactions") or (member.may("judge") and member.user_id in had)
    ]


@transaction.atomic
def say(*, item: ReviewItem, by: User, text: str, mentions=()) -> ItemComment:
    """Add a comment; `mentions` are users who can read it. Raises WrongState."""
    if item.interaction.erased_at:
        raise WrongState(_("This answer was erased. There is nothing left to talk about."))
    readers = {user.pk for user in readers_of(item)}
    named = {user.pk for user in mentions} - {by.pk}
    if not named <= readers:
        raise WrongState(_("Somebody you named cannot see this item."))
    comment = ItemComment.objects.create(
        project_id=item.project_id, item=item, author=by, text=text
    )
    Mention.objects.bulk_create(
        Mention(project_id=item.project_id, comment=comment, user_id=user) for user in sorted(named)
    )
    return comment


def may_be_swayed(assignment: Assignment) -> bool:
    """Whether who judged this, as others did, could read what anybody else said of it in a blind queue: their own answer is no
    longer theirs alone to change.
    """
    item = assignment.item
    if not item.queue.is_blind:
        return False
    others = Annotation.objects.current().filter(item=item).exclude(expert=assignment.expert_id)
    return (
        Assignment.objects.filter(_HAD, pk=assignment.pk).exists()
        and others.exists()
        and item.comments.exclude(author=assignment.expert_id).exists()
    )


def unread_mentions(membership: Membership):
    """Where this member was named and has not looked yet, newest first."""
    return (
        Mention.objects.filter(
            project=membership.project_id,
            user=membership.user_id,
            read_at=None,
            comment__item__in=readable_by(membership),
        )
        .select_related("comment__author", "comment__item__interaction", "comment__item__queue")
        .order_by("-pk")
    )


def note_reading(*, item: ReviewItem, reader: User) -> None:
    """They have the discussion before them: nothing in it waits for them any more."""
    Mention.objects.filter(
        project=item.project_id, user=reader, comment__item=item, read_at=None
    ).update(read_at=timezone.now())
