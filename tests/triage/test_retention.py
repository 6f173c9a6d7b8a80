"""Answers are forgotten when they were kept as long as the project says, but for what somebody still works with."""

from datetime import timedelta

from django.utils import timezone

from annotation import gold
from feedbackhub.capture import retention
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ReporterFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from triage import problems


def old(project, days=400):
    then = timezone.now() - timedelta(days=days)
    return InteractionFactory(project=project, occurred_at=then, received_at=then)


def is_forgotten(interaction):
    interaction.refresh_from_db()
    return interaction.erased_at is not None and interaction.output == ""


def test_what_is_older_than_the_project_keeps_is_forgotten_with_its_feedback(project):
    gone, kept = old(project), old(project, days=364)
    said = FeedbackEventFactory(project=project, interaction=gone, comment="It is wrong.")
    assert retention.forget_expired() == 1
    said.refresh_from_db()
    assert (is_forgotten(gone), is_forgotten(kept), said.comment) == (True, False, "")


def test_what_was_imported_from_years_ago_is_new_here(project):
    then = timezone.now() - timedelta(days=2_000)
    imported = InteractionFactory(project=project, occurred_at=then)
    retention.forget_expired()
    assert not is_forgotten(imported)


def test_each_project_has_its_own_days(project, other_project):
    type(project).objects.filter(pk=other_project.pk).update(retention_days=30)
    ours, theirs = old(project, days=31), old(other_project, days=31)
    retention.forget_expired()
    assert (is_forgotten(ours), is_forgotten(theirs)) == (False, True)


def test_gold_open_items_and_open_problems_are_kept(project, ben):
    golden, waiting, hurting, settled = (old(project) for _ in range(4))
    gold.promote_to_gold(settlement=SettlementFactory(interaction=golden), by=ben)
    ReviewItemFactory(queue__project=project, interaction=waiting)
    problems.join_problem(
        problem=ProblemFactory(project=project), interaction=hurting, source="expert"
    )
    ReviewItemFactory(queue__project=project, interaction=settled, state="settled")
    retention.forget_expired()
    assert [is_forgotten(each) for each in (golden, waiting, hurting, settled)] == [
        False,
        False,
        False,
        True,
    ]


def test_a_reporter_is_forgotten_with_the_last_of_their_reports(project):
    once, twice = (ReporterFactory(project=project, email="a@example.com") for _ in range(2))
    recent = InteractionFactory(project=project)
    for reporter, interaction in ((once, old(project)), (twice, old(project)), (twice, recent)):
        FeedbackEventFactory(project=project, interaction=interaction, reporter=reporter)
    retention.forget_expired()
    once.refresh_from_db()
    twice.refresh_from_db()
    assert (once.email, twice.email) == ("", "a@example.com")


def test_more_than_a_batch_is_forgotten_in_one_look_and_then_it_rests(project, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for _ in range(5):
        old(project)
    assert retention.forget_expired() == 5
    old(project)
    assert retention.forget_expired() == 0
