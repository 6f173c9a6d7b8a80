"""Settings › Privacy: what is masked, how long things may take, and forgetting a person."""

import pytest
from django.urls import reverse

from feedbackhub.capture.erasure import person_hash
from feedbackhub.capture.models import Interaction
from feedbackhub.redaction import KINDS
from tests.factories import InteractionFactory


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def form(**changes):
    return {
        "retention_days": "90",
        "redaction_kinds": ["EMAIL", "CARD"],
        "sla_critical": "2",
        "sla_high": "",
        "sla_medium": "100",
        "sla_low": "",
    } | changes


def test_an_owner_says_what_is_masked_how_long_it_is_kept_and_how_soon_it_is_solved(
    as_user, olu, project
):
    as_user(olu).post(url("settings_privacy"), form())
    project.refresh_from_db()
    assert (project.retention_days, project.redaction_kinds, project.sla_hours) == (
        90,
        ["CARD", "EMAIL"],
        {"critical": 2, "medium": 100},
    )


def test_all_kinds_ticked_means_all_that_there_will_be(as_user, olu, project):
    as_user(olu).post(url("settings_privacy"), form(redaction_kinds=sorted(KINDS)))
    project.refresh_from_db()
    assert project.redaction_kinds is None
    page = as_user(olu).get(url("settings_privacy"))
    assert set(page.context["form"]["redaction_kinds"].value()) == KINDS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"retention_days": "0"}, "retention_days"),
        ({"retention_days": "forever"}, "retention_days"),
        ({"redaction_kinds": ["SHOE_SIZE"]}, "redaction_kinds"),
        ({"sla_critical": "-1"}, "sla_critical"),
        ({"sla_low": "9" * 30}, "sla_low"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_kept_in_the_form(
    as_user, olu, project, change, field
):
    answer = as_user(olu).post(url("settings_privacy"), form(sla_medium="77") | change)
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])
    assert 'value="77"' in answer.content.decode()
    project.refresh_from_db()
    assert project.retention_days == 365


def test_an_owner_forgets_a_person_and_is_told_how_much_that_was(as_user, olu, project):
    theirs = InteractionFactory(
        project=project, user_hash=person_hash(project=project, reference="user-1")
    )
    other = InteractionFactory(project=project, user_hash="b" * 64)
    said = {"erase-reference": "user-1", "erase-again": "user-1"}
    answer = as_user(olu).post(url("erase_person"), said, follow=True)
    assert "Forgotten: 1 interactions" in answer.content.decode()
    assert "user-1" not in answer.content.decode()
    erased = Interaction.objects.filter(erased_at__isnull=False)
    assert list(erased) == [theirs]
    assert other.output == Interaction.objects.get(pk=other.pk).output


def test_a_reference_that_differs_forgets_nobody(as_user, olu, project):
    InteractionFactory(project=project, user_hash=person_hash(project=project, reference="user-1"))
    answer = as_user(olu).post(
        url("erase_person"), {"erase-reference": "user-1", "erase-again": "user-2"}
    )
    assert answer.status_code == 400
    assert not Interaction.objects.filter(erased_at__isnull=False).exists()


def test_an_unknown_reference_is_said(as_user, olu, project):
    said = {"erase-reference": "nobody", "erase-again": "nobody"}
    answer = as_user(olu).post(url("erase_person"), said, follow=True)
    assert "Nobody is known under this reference" in answer.content.decode()


def test_the_same_reference_in_another_project_is_another_person(
    as_user, olu, project, other_project
):
    theirs = InteractionFactory(
        project=other_project, user_hash=person_hash(project=other_project, reference="user-1")
    )
    said = {"erase-reference": "user-1", "erase-again": "user-1"}
    as_user(olu).post(url("erase_person"), said)
    assert Interaction.objects.get(pk=theirs.pk).erased_at is None


def test_a_lead_looks_on(as_user, ben, project):
    client = as_user(ben)
    page = client.get(url("settings_privacy"))
    assert page.status_code == 200
    assert b"Forget a person" not in page.content
    assert client.post(url("settings_privacy"), form()).status_code == 403
    assert client.post(url("erase_person"), {}).status_code == 403


def test_others_stay_outside(as_user, ana, dana, eve, project):
    for person, status in ((ana, 403), (dana, 403), (eve, 404)):
        assert as_user(person).get(url("settings_privacy")).status_code == status
        assert as_user(person).post(url("erase_person"), {}).status_code == status
