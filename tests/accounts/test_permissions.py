"""Who may do what, cell by cell, as DESIGN §1 has it; and that each page asks for what the table says."""

import pytest
from django.urls import get_resolver, reverse

from feedbackhub.accounts.permissions import PERMISSIONS, Role, may

ROLES = ["expert", "engineer", "lead", "owner"]
# permission: expert, engineer, lead, owner
DESIGN = {
    "judge": "✓ - ✓ ✓",
    "see_own_work": "✓ - ✓ ✓",
    "search_interactions": "- ✓ ✓ ✓",
    "browse_gold": "- ✓ ✓ ✓",
    "freeze_gold": "- ✓ ✓ ✓",
    "export_gold": "- ✓ ✓ ✓",
    "evaluate": "- ✓ ✓ ✓",
    "approve_gold": "- - ✓ ✓",
    "settle_disputes": "- - ✓ ✓",
    "return_work": "- - ✓ ✓",
    "flag_interaction": "- ✓ ✓ ✓",
    "see_everyones_figures": "- - ✓ ✓",
    "see_problems_of_own_items": "✓ ✓ ✓ ✓",
    "see_problems": "- ✓ ✓ ✓",
    "change_problems": "- - ✓ ✓",
    "file_tickets": "- - ✓ ✓",
    "record_fixes": "- ✓ ✓ ✓",
    "release_notices": "- - ✓ ✓",
    "propose_categories": "✓ - ✓ ✓",
    "change_rules": "- - ✓ ✓",
    "change_queues": "- - ✓ ✓",
    "change_label_schema": "- - ✓ ✓",
    "see_members": "- - ✓ ✓",
    "change_members": "- - - ✓",
    "see_api_keys": "- - ✓ ✓",
    "change_api_keys": "- - - ✓",
    "see_trackers": "- - ✓ ✓",
    "change_trackers": "- - - ✓",
    "see_privacy": "- - ✓ ✓",
    "change_privacy": "- - - ✓",
    "erase_people": "- - - ✓",
    "read_audit": "- - ✓ ✓",
}
CELLS = [
    (permission, role, mark == "✓")
    for permission, row in DESIGN.items()
    for role, mark in zip(ROLES, row.split(), strict=True)
]


def test_the_table_names_what_design_names():
    assert set(PERMISSIONS) == set(DESIGN)
    assert list(Role.values) == ROLES


@pytest.mark.parametrize(("permission", "role", "allowed"), CELLS)
def test_cell(permission, role, allowed):
    assert may([role], permission) is allowed


def test_several_roles_add_up():
    assert may(["expert", "engineer"], "judge")
    assert may(["expert", "engineer"], "search_interactions")
    assert not may(["expert", "engineer"], "approve_gold")


def project_pages():
    """Every address below /p/<project>/ that needs nothing else to be named."""
    yield from _below(get_resolver().url_patterns, "")


def _below(patterns, prefix):
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _below(pattern.url_patterns, address)
        elif address.startswith("p/<slug:project>/") and address.count("<") == 1:
            yield pattern.name, pattern.callback


PAGES = sorted(dict(project_pages()).items())


@pytest.mark.parametrize("name,view", PAGES, ids=[name for name, _ in PAGES])
def test_every_project_page_has_a_door(name, view):
    assert hasattr(view, "permissions"), f"{name} is not decorated with @project_page"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name,view", PAGES, ids=[name for name, _ in PAGES])
def test_page_lets_in_whom_the_table_lets_in(name, view, role, project, as_user):
    from tests.factories import MembershipFactory

    member = MembershipFactory(project=project, roles=[role])
    answer = as_user(member.user).get(reverse(name, args=[project.slug]))
    if view.permissions and not any(may([role], permission) for permission in view.permissions):
        assert answer.status_code == 403
    else:
        assert answer.status_code in (200, 302, 405)


@pytest.mark.parametrize("name,view", PAGES, ids=[name for name, _ in PAGES])
def test_page_answers_outsiders_as_if_the_project_were_not_there(name, view, project, eve, as_user):
    theirs = as_user(eve).get(reverse(name, args=[project.slug]))
    nobodys = as_user(eve).get(reverse(name, args=["no-such-project"]))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content.replace(project.slug.encode(), b"") == nobodys.content.replace(
        b"no-such-project", b""
    )
