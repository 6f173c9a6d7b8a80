"""A reporter finds it still wrong: once for each time that somebody called it solved."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from feedbackhub.capture.models import FeedbackEvent
from feedbackhub.outbox import delivery
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, notice_delivery, problems
from triage.models import Letter, Notice, Problem
from triage.reporter_link import token_for

pytestmark = pytest.mark.django_db
ASKS = "What is still wrong?"


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project)


@pytest.fixture
def notice(project, problem, ben):
    """Their complaint was repaired yesterday, and they were told."""
    with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
        before = timezone.now() - timedelta(days=1)
        interaction = InteractionFactory(project=project, occurred_at=before)
        ProblemMemberFactory(problem=problem, interaction=interaction)
        FeedbackEventFactory(interaction=interaction, reporter=ReporterFactory(project=project))
        fixing.record_fix(project=project, summary="Repaired.", problems_fixed=[problem])
        delivery.deliver_due()
        made = Notice.objects.get()
        notice_delivery.deliver_notice(notice_id=made.pk)
    made.refresh_from_db()
    return made


@pytest.fixture
def page(client, notice):
    return lambda: client.get(reverse("reporter_page", args=[token_for(notice)])).content.decode()


@pytest.fixture
def say(client, notice, problem):
    def still_wrong(words):
        address = reverse("reporter_still_wrong", args=[token_for(notice), problem.public_id])
        return client.post(address, {"words": words})

    return still_wrong


def said():
    return list(
        FeedbackEvent.objects.filter(source="reporter_page")
        .order_by("pk")
        .values_list("comment", flat=True)
    )


def state_of(problem):
    return Problem.objects.get(pk=problem.pk).state


def solve_by_hand(problem, state="shipped"):
    problems.move_problem_state(problem=Problem.objects.get(pk=problem.pk), state=state)


def test_twice_is_once_while_it_is_open_again(page, say, problem):
    say("It says 12 %."), say("It says 12 % again.")
    assert (said(), state_of(problem)) == (["It says 12 %."], "regressed")
    assert Letter.objects.filter(kind="still_wrong").count() == 1
    assert ASKS not in page()


def test_once_it_is_called_solved_again_they_may_say_it_again(page, say, problem):
    say("It says 12 %.")
    solve_by_hand(problem)
    assert ASKS in page()
    say("Now it says 13 %."), say("13 %!")
    assert (said(), state_of(problem)) == (["It says 12 %.", "Now it says 13 %."], "regressed")
    assert Letter.objects.filter(kind="still_wrong").count() == 2
    assert ASKS not in page()


def test_a_lead_who_gives_it_up_afterwards_is_not_asked_for_ever(page, say, problem):
    say("It says 12 %.")
    solve_by_hand(problem, "wont_fix")
    assert ASKS not in page()
    say("Still!")
    assert (said(), state_of(problem)) == (["It says 12 %."], "wont_fix")
