import pytest
from django.core.exceptions import ValidationError

from feedbackhub.accounts.members import add_member, change_roles, create_project, remove_member
from feedbackhub.accounts.models import Membership, User


def test_create_project_refuses_a_slug_that_is_taken(project):
    with pytest.raises(ValidationError, match="already a project"):
        create_project(slug="Tax-Help", name="Another")


def test_add_member_makes_a_new_person_and_finds_a_known_one_whatever_the_case(project):
    membership, is_new = add_member(project=project, email="Nia@example.com", roles=["expert"])
    again, is_new_again = add_member(project=project, email="nia@EXAMPLE.com", roles=["lead"])
    assert (is_new, is_new_again) == (True, False)
    assert again == membership
    assert again.roles == ["expert", "lead"]
    assert User.objects.count() == 1


def test_the_last_owner_can_neither_leave_nor_step_down(project, olu, ben):
    membership = Membership.objects.get(user=olu)
    with pytest.raises(ValidationError, match="needs an owner"):
        remove_member(membership=membership)
    with pytest.raises(ValidationError, match="needs an owner"):
        change_roles(membership=membership, roles=["lead"])
    change_roles(membership=Membership.objects.get(user=ben), roles=["owner"])
    remove_member(membership=membership)
    assert list(Membership.objects.values_list("user__name", flat=True)) == ["Ben"]


def test_change_roles_refuses_what_is_no_role(project, ana):
    with pytest.raises(ValidationError):
        change_roles(membership=Membership.objects.get(user=ana), roles=["admin"])


def test_every_change_of_roles_is_in_the_audit_trail(project, ana):
    membership = Membership.objects.get(user=ana)
    change_roles(membership=membership, roles=["lead"])
    trail = membership.audit_events.order_by("pgh_id").values_list("pgh_label", "roles")
    assert list(trail) == [("created", ["expert"]), ("changed", ["lead"])]
