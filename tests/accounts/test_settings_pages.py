"""Members, keys and the audit trail in the browser."""

import pytest
from django.urls import reverse

from feedbackhub.accounts.api_keys import create_api_key, find_api_key
from feedbackhub.accounts.models import ApiKey, Membership
from tests.factories import MembershipFactory


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def test_an_owner_adds_a_member(as_user, olu):
    as_user(olu).post(
        url("settings_members"), {"email": "nia@example.com", "name": "Nia", "roles": ["expert"]}
    )
    assert Membership.objects.get(user__name="Nia").roles == ["expert"]


def test_a_lead_sees_members_but_may_not_add_one(as_user, ben):
    client = as_user(ben)
    assert client.get(url("settings_members")).status_code == 200
    answer = client.post(url("settings_members"), {"email": "n@example.com", "roles": ["owner"]})
    assert answer.status_code == 403
    assert Membership.objects.count() == 1


def test_a_bad_form_keeps_what_was_typed_and_says_what_is_wrong(as_user, olu):
    answer = as_user(olu).post(
        url("settings_members"), {"email": "no address", "roles": ["expert"]}
    )
    assert answer.status_code == 400
    assert b"no address" in answer.content
    assert answer.context["form"].errors["email"]


def test_an_owner_changes_roles_and_takes_a_member_out(as_user, olu, ana):
    client = as_user(olu)
    client.post(url("member", ana.public_id), {"roles": ["lead", "expert"]})
    assert Membership.objects.get(user=ana).roles == ["expert", "lead"]
    client.post(url("remove_member", ana.public_id))
    assert not Membership.objects.filter(user=ana).exists()


def test_somebody_elses_member_is_not_found(as_user, olu, eve):
    assert as_user(olu).get(url("member", eve.public_id)).status_code == 404


def test_a_secret_key_is_shown_once(as_user, olu):
    client = as_user(olu)
    shown = client.post(
        url("settings_keys"), {"name": "web", "kind": "secret", "scopes": ["capture", "read"]}
    )
    secret = shown.context["secret"]
    assert secret.encode() in shown.content
    assert find_api_key(secret).scopes == ["capture", "read"]
    assert secret.encode() not in client.get(url("settings_keys")).content


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "web", "kind": "secret"}, "scopes"),
        ({"name": "web", "kind": "public"}, "origins"),
        ({"name": "web", "kind": "public", "origins": "javascript:alert(1)"}, "origins"),
        ({"name": "web", "kind": "secret", "scopes": ["root"]}, "scopes"),
    ],
)
def test_a_key_form_that_makes_no_sense_is_refused(as_user, olu, form, field):
    answer = as_user(olu).post(url("settings_keys"), form)
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing(as_user, olu, project):
    key, secret = create_api_key(project=project, name="old", scopes=["read"])
    as_user(olu).post(url("revoke_key", key.public_id))
    assert find_api_key(secret) is None


def test_a_key_of_another_project_cannot_be_revoked(as_user, olu, other_project):
    key, secret = create_api_key(project=other_project, name="theirs", scopes=["read"])
    assert as_user(olu).post(url("revoke_key", key.public_id)).status_code == 404
    assert find_api_key(secret) == key


def test_the_audit_trail_says_who_changed_which_role(as_user, olu, ana, other_project):
    MembershipFactory(project=other_project, roles=["owner"])
    client = as_user(olu)
    client.post(url("member", ana.public_id), {"roles": ["lead"]})
    newest = client.get(url("settings_audit")).context["rows"].rows[0]
    assert (newest.who, newest.table, newest.change) == ("Olu", "membership", "changed")
    assert newest.fields == {"roles": (["expert"], ["lead"])}
    assert newest.action == "POST member"


def test_the_audit_trail_is_paged_and_stays_in_the_project(as_user, olu, project, other_project):
    MembershipFactory.create_batch(60, project=project)
    MembershipFactory.create_batch(5, project=other_project)
    client = as_user(olu)
    first = client.get(url("settings_audit")).context["rows"]
    second = client.get(url("settings_audit"), {"before": first.older}).context["rows"]
    assert (len(first.rows), len(second.rows), second.older) == (50, 11, None)
    ids = [row.row_id for row in (*first.rows, *second.rows)]
    assert len(set(ids)) == 61


@pytest.mark.parametrize("page", ["settings_members", "settings_keys", "settings_audit"])
def test_a_list_costs_the_same_queries_with_one_row_and_with_three(page, as_user, olu, project):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = as_user(olu)
    counts = []
    for _ in range(2):
        create_api_key(project=project, name="k", scopes=["read"])
        client.get(url(page))
        with CaptureQueriesContext(connection) as queries:
            client.get(url(page))
        counts.append(len(queries))
        MembershipFactory.create_batch(2, project=project)
        create_api_key(project=project, name="k", scopes=["read"])
    assert counts[0] == counts[1]
