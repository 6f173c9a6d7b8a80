"""Projects and the people in them."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from feedbackhub.accounts.models import Membership, Project, User
from feedbackhub.accounts.permissions import Role

_furnishers: list[Callable[[Project], None]] = []
_followers: list[Callable[..., None]] = []


def furnisher(function: Callable[[Project], None]):
    """Register what an app on the right puts into a new project (its default rules, its default schema)."""
    _furnishers.append(function)
    return function


def member_follower(function: Callable[..., None]):
    """Register what an app on the right does when somebody comes, goes or gets other roles: (project=, user=, before=).

    `before` are the roles that they had, none for who comes.
    """
    _followers.append(function)
    return function


@transaction.atomic
def create_project(*, slug: str, name: str, owner: User | None = None) -> Project:
    """Make a project, furnished with every app's defaults. Raises ValidationError when the slug is taken or bad."""
    slug = slug.strip().lower()
    validate_slug(slug)
    if Project.objects.filter(slug=slug).exists():
        raise ValidationError(_("There is already a project “%(slug)s”.") % {"slug": slug})
    project = Project(slug=slug, name=name.strip())
    project.full_clean()
    project.save()
    if owner:
        Membership.objects.create(project=project, user=owner, roles=[Role.OWNER])
    for furnish in _furnishers:
        furnish(project)
    return project


@transaction.atomic
def add_member(
    *, project: Project, email: str, roles, name: str | None = None, password: str | None = None
) -> tuple[Membership, bool]:
    """Bring a person into a project, making them when new; answers (membership, is the person new).

    Roles are added to those that the person has. A password is only set on a new person.
    """
    validate_email(email)
    user = User.objects.filter(email__iexact=email).first()
    is_new = user is None
    if is_new:
        user = User.objects.create_user(email, password, name=name or email.partition("@")[0])
    membership = Membership.objects.select_for_update().filter(project=project, user=user).first()
    if membership is None:
        membership = Membership.objects.create(project=project, user=user, roles=sorted(set(roles)))
        _follow(membership, before=[])
    else:
        change_roles(membership=membership, roles=sorted({*membership.roles, *roles}))
    return membership, is_new


@transaction.atomic
def change_roles(*, membership: Membership, roles) -> Membership:
    """Give a member exactly these roles. A project keeps at least one owner."""
    roles = sorted(set(roles))
    unknown = set(roles) - set(Role.values)
    if unknown or not roles:
        raise ValidationError(_("Choose at least one of the four roles."))
    _keep_an_owner(membership, still_owner=Role.OWNER in roles)
    before = _roles_now(membership)
    membership.roles = roles
    membership.save(update_fields=["roles"])
    _follow(membership, before=before)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """Take a person out of a project; what they judged stays. A project keeps at least one owner."""
    _keep_an_owner(membership, still_owner=False)
    before = _roles_now(membership)
    membership.delete()
    _follow(membership, before=before)


def _roles_now(membership) -> list[str]:
    """What they are until we commit; two changes at one instant are one after the other."""
    found = Membership.objects.select_for_update().filter(pk=membership.pk)
    return found.values_list("roles", flat=True).first() or []


def _follow(membership, *, before) -> None:
    for follow in _followers:
        follow(project=membership.project, user=membership.user, before=before)


def _keep_an_owner(membership, *, still_owner: bool) -> None:
    if still_owner or Role.OWNER not in membership.roles:
        return
    owners = list(
        Membership.objects.select_for_update()
        .filter(project=membership.project, roles__contains=[Role.OWNER])
        .order_by("id")
    )
    if len(owners) == 1:
        raise ValidationError(_("A project needs an owner. Make somebody else the owner first."))
