"""Twins find each other when they come in, also at the same moment."""

import threading

import pytest
from django.db import connection

from feedbackhub.capture.models import NearDuplicateGroup, NearDuplicateSignature
from feedbackhub.capture.near_duplicates import group_of, place
from feedbackhub.outbox.models import OutboxEvent
from tests.factories import InteractionFactory

HOME_OFFICE = "Can I deduct the costs of my home office if I only work there two days a week?"
TWIN = "can I deduct the costs of my home office if I only work there three days a week"
RENT = "Which form do I need to declare rent from a flat abroad?"


def asked(project, question, **fields):
    return InteractionFactory(
        project=project, messages=[{"role": "user", "content": question}], **fields
    )


def test_twins_share_a_group_and_others_do_not(project):
    first, twin, other = (place(asked(project, text)) for text in (HOME_OFFICE, TWIN, RENT))
    assert first == twin
    assert other != first


def test_a_beginning_that_all_share_hides_no_twin(project, monkeypatch):
    """Of those that share a band, the likest are looked at, not the newest."""
    monkeypatch.setattr("feedbackhub.capture.near_duplicates.MOST_CANDIDATES", 2)
    first = place(asked(project, HOME_OFFICE))
    shared = NearDuplicateSignature.objects.get().bands[:1]
    for number in range(3):
        other = place(asked(project, f"{RENT} And what of the year {number * 7919}, {number}?"))
        signature = other.signatures.order_by("-pk").first()
        signature.bands = [*shared, *signature.bands[1:]]
        signature.save()
    assert place(asked(project, TWIN)) == first


def test_instructions_to_the_model_make_no_twins(project):
    instructions = {"role": "system", "content": "You are a careful tax assistant. " * 20}
    groups = {
        place(
            InteractionFactory(
                project=project, messages=[instructions, {"role": "user", "content": text}]
            )
        )
        for text in (HOME_OFFICE, RENT)
    }
    assert len(groups) == 2


def test_placing_twice_changes_nothing(project):
    interaction = asked(project, HOME_OFFICE)
    assert place(interaction) == place(interaction) == group_of(interaction)
    assert NearDuplicateSignature.objects.count() == 1


def test_another_projects_twin_is_no_twin(project, other_project):
    assert place(asked(project, HOME_OFFICE)) != place(asked(other_project, HOME_OFFICE))


def test_a_newcomer_between_two_groups_joins_them_and_says_so(project):
    words = [f"word{n:02}" for n in range(40)]
    left, right = " ".join(words[:30]), " ".join(words[10:])
    first, second = place(asked(project, left)), place(asked(project, right))
    assert first != second
    place(asked(project, " ".join(words[4:36])))
    assert set(NearDuplicateSignature.objects.values_list("group", flat=True)) == {first.pk}
    second.refresh_from_db()
    assert second.merged_into == first
    assert OutboxEvent.objects.get(kind="near_duplicates_merged").about == {"group_id": first.pk}


@pytest.mark.django_db(transaction=True)
def test_twins_that_come_at_the_same_moment_share_a_group(project):
    interactions = [asked(project, HOME_OFFICE) for _ in range(6)]
    barrier = threading.Barrier(6)

    def run(interaction):
        barrier.wait()
        place(interaction)
        connection.close()

    threads = [threading.Thread(target=run, args=[each]) for each in interactions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert NearDuplicateSignature.objects.count() == 6
    assert NearDuplicateGroup.objects.count() == 1
