"""The people's figures: what counts, who sees them, and a lead's pause."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation import pausing, people, queries
from annotation.models import Annotation, QueuePause
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import judge, queue_with
from tests.annotation.test_calibration import known_cases
from tests.cast import _member
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    QueueMemberFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

PAGE = "/p/tax-help/people/"
ME = "/p/tax-help/people/me/"


@pytest.fixture
def queue(project):
    return queue_with(project, items=0, name="Tax", slug="tax", overlap=2)[0]


def judged(expert, queue, *, item=None, days_ago=0, **said):
    item = item or ReviewItemFactory(queue=queue)
    slot = item.assignments.count() + 1
    assignment = AssignmentFactory(item=item, expert=expert, slot=slot, state="submitted")
    said = {"seconds_spent": 60, **said}
    created_at = timezone.now() - timedelta(days=days_ago)
    return AnnotationFactory(assignment=assignment, created_at=created_at, **said)


def settled(item, verdict="wrong", **how):
    how = {"annotation_count": 2, "chosen_answer": None, **how}
    item.state = "settled"
    item.save()
    return SettlementFactory(
        project=item.project, interaction=item.interaction, item=item, verdict=verdict, **how
    )


def figures(user, project, days=30, reader=None):
    period = people.Period.of(reader or user, days)
    (found,) = people.figures_of([user], project=project, period=period)
    return found


def row_of(answer, user):
    return next(row["figures"] for row in answer.context["rows"] if row["figures"].user == user)


# --- what counts ----------------------------------------------------------------------------------


def test_throughput_is_by_the_readers_day_and_what_was_taken_back_or_imported_is_none(
    project, ana, queue
):
    for days_ago in (0, 0, 3, 40):
        judged(ana, queue, days_ago=days_ago)
    judged(ana, queue, imported_from="a sheet")
    judged(ana, queue, is_current=False)
    found = figures(ana, project)
    assert (found.judged, found.days_worked, found.a_day) == (3, 2, 1.5)
    assert len(found.trend) == 30
    assert [count for _day, count in found.trend if count] == [1, 2]
    weeks = figures(ana, project, days=90).trend
    assert (len(weeks), sum(count for _day, count in weeks)) == (13, 4)


def test_time_is_the_median_of_what_was_measured(project, ana, queue):
    for seconds in (10, 20, 500, 0):
        judged(ana, queue, seconds_spent=seconds)
    assert figures(ana, project).median_seconds == 20


def test_agreement_is_with_what_others_had_a_say_in(project, ana, ben, queue):
    same = judged(ana, queue).item
    settled(same)
    differs = judged(ana, queue, verdict="partly").item
    settled(differs, decided_how="lead", decided_by=ben)
    settled(judged(ana, queue).item, annotation_count=1)  # their own word and nobody else's
    judged(ana, queue)  # not settled
    found = figures(ana, project)
    assert (found.agreed, found.compared, found.agreement) == (1, 2, 0.5)


def test_a_lead_who_decided_does_not_agree_with_themselves(project, ben, queue):
    settled(judged(ben, queue).item, decided_how="lead", decided_by=ben)
    assert figures(ben, project).agreement is None


@pytest.mark.parametrize("purpose", ["calibration", "repeat"])
def test_what_measures_a_person_is_work_and_no_label(project, ana, queue, purpose):
    item = ReviewItemFactory(queue=queue, purpose=purpose)
    judged(ana, queue, item=item)
    settled(item)
    found = figures(ana, project)
    assert (found.judged, found.median_seconds) == (1, 60)
    assert (found.labels, found.habits, found.compared) == (0, [], 0)


def test_habits_stand_beside_everybodys(project, ana, ben, queue):
    for _ in range(10):
        judged(ana, queue, categories=["outdated"])
        judged(ben, queue, categories=["factual_error", "outdated"])
    for _ in range(20):
        judged(ben, queue, categories=["factual_error"])
    habits = {habit.key: habit for habit in figures(ana, project).habits}
    assert (habits["outdated"].name, habits["outdated"].count) == ("Outdated", 10)
    assert (habits["outdated"].share, habits["outdated"].everybodys) == (1.0, 0.5)
    assert (habits["factual_error"].share, habits["factual_error"].everybodys) == (0, 0.75)
    assert figures(ana, project).strongest_habit.key == "factual_error"


def test_a_few_judgements_are_no_habit(project, ana, queue):
    judged(ana, queue)
    assert figures(ana, project).strongest_habit is None


def test_skips_are_counted_by_reason(project, ana, queue):
    for reason in ("not_my_field", "not_my_field", "cannot_show"):
        AssignmentFactory(
            item__queue=queue, expert=ana, state="skipped", skip_reason=reason, lease_until=None
        )
    assert figures(ana, project).skips == {"not_my_field": 2, "cannot_show": 1}


def test_suggestions_count_as_seen_taken_and_changed(project, ana, queue):
    for suggestion in (
        {},
        {"seen": True, "source": "reporter"},
        {"seen": True, "source": "reporter", "taken": ["categories"]},
        {"source": "case:1", "taken": ["verdict"], "changed": ["verdict"]},
    ):
        judged(ana, queue, suggestion=suggestion)
    found = figures(ana, project)
    assert (found.suggested, found.taken, found.changed) == (3, 2, 1)


def test_other_projects_work_is_none(project, other_project, ana, queue):
    theirs, _ = queue_with(other_project, items=0)
    judged(ana, theirs)
    assert figures(ana, project).judged == 0


# --- who sees it ----------------------------------------------------------------------------------


def test_a_lead_sees_a_row_for_each_expert_and_for_whoever_judged(
    as_user, ana, ben, dana, eve, project, queue
):
    judged(ben, queue)
    gone = _member(project, "Gil", "expert")
    judged(gone, queue)
    Membership.objects.get(user=gone).delete()
    answer = as_user(ben).get(PAGE)
    assert [row["figures"].user for row in answer.context["rows"]] == [ana, ben, gone]
    assert row_of(answer, ana).judged == 0


def test_an_expert_sees_their_own_and_nobody_elses(as_user, ana, ben, project, queue):
    judged(ana, queue)
    own = as_user(ana).get(ME)
    assert own.context["figures"].judged == 1
    for name in ("person", "person_file"):
        mine = reverse(name, args=["tax-help", ana.public_id])
        bens = reverse(name, args=["tax-help", ben.public_id])
        assert as_user(ana).get(mine).status_code == 200
        assert as_user(ana).get(bens).status_code == 404
    assert as_user(ana).get(PAGE).status_code == 403


def test_a_lead_sees_a_person_of_the_project_and_no_other(as_user, ana, ben, eve, project, queue):
    judged(ana, queue)
    here = reverse("person", args=["tax-help", ana.public_id])
    assert as_user(ben).get(here).context["figures"].judged == 1
    elsewhere = reverse("person", args=["tax-help", eve.public_id])
    assert as_user(ben).get(elsewhere).status_code == 404


@pytest.mark.parametrize("days", ["1", "x", "%00"])
def test_an_unknown_period_is_not_found(as_user, ben, days, project):
    assert as_user(ben).get(f"{PAGE}?days={days}").status_code == 404


def test_the_page_says_what_fills_it(as_user, ben, project):
    assert "No experts yet" in as_user(ben).get(PAGE).content.decode()


def test_the_page_costs_the_same_queries_with_more_people(as_user, ben, project, queue):
    known_cases(project, ben, 3)
    queue.onboarding_count = 1
    queue.save()

    def grow(number):
        for place in range(number):
            name = f"P{Membership.objects.count()}{place}"
            user = _member(project, name, "expert")
            judge(user, queue)
            judged(user, queue)
            pausing.pause_expert(queue=queue, user=user, by=ben)

    assert_same_queries(as_user(ben), PAGE, grow)


def test_a_persons_page_costs_the_same_queries_with_more_queues(as_user, ana, ben, project):
    known_cases(project, ben, 4)

    def grow(number):
        for _ in range(number):
            queue, _items = queue_with(project, items=0, onboarding_count=1)
            judge(ana, queue)
            pausing.pause_expert(queue=queue, user=ana, by=ben)

    address = reverse("person", args=["tax-help", ana.public_id])
    assert_same_queries(as_user(ben), address, grow)


def test_the_file_holds_the_figures_and_no_formula(as_user, ana, ben, project, queue):
    ana.name = "=HYPERLINK(1)"
    ana.save()
    judged(ana, queue, categories=["outdated"])
    answer = as_user(ben).get("/p/tax-help/people.csv?days=7")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    found = {(row["person"], row["part"], row["key"]): row for row in rows}
    assert found["'=HYPERLINK(1)", "throughput", "judged"]["value"] == "1"
    assert found["'=HYPERLINK(1)", "category_share", "outdated"]["value"] == "1.0"
    assert len([row for row in rows if row["part"] == "judged_from"]) == 7
    assert "tax-help-people-7-days-" in answer["Content-Disposition"]


# --- below the bar, and paused --------------------------------------------------------------------


@pytest.fixture
def below(project, ana, ben):
    """Ana judged five known cases wrongly."""
    known_cases(project, ben, 5)
    queue, _ = queue_with(project, items=0, name="Forms", slug="forms", onboarding_count=5)
    for _ in range(5):
        judge(ana, queue, "partly")
    return queue


def test_who_is_below_the_bar_reads_it_and_so_does_the_lead(as_user, ana, ben, below):
    assert "Known cases in Forms: below the bar" in as_user(ana).get(ME).content.decode()
    (score,) = row_of(as_user(ben).get(PAGE), ana).scores
    assert (score.right, score.judged, score.is_below) == (0, 5, True)
    settings = as_user(ben).get(reverse("settings_queue", args=["tax-help", below.public_id]))
    scores = {each["user"]: each["score"] for each in settings.context["judges"]}
    assert scores[ana].is_below and scores[ben] is None


def test_a_lead_pauses_somebody_and_lets_them_go_on(as_user, ana, ben, below):
    said = {"queue": below.public_id, "reason": "Let us talk first.", "back": "person"}
    page = reverse("person", args=["tax-help", ana.public_id])
    answer = as_user(ben).post(reverse("pause_expert", args=["tax-help", ana.public_id]), said)
    assert answer.url == page
    pause = QueuePause.objects.get()
    assert (pause.user, pause.queue, pause.paused_by) == (ana, below, ben)
    assert "Let us talk first." in as_user(ana).get(ME).content.decode()
    review = as_user(ana).get("/p/tax-help/review/")
    assert "A lead paused your work in Forms. Let us talk first." in review.content.decode()
    answer = as_user(ben).post(
        reverse("resume_expert", args=["tax-help", ana.public_id]), {**said, "back": "queue"}
    )
    assert answer.url == reverse("settings_queue", args=["tax-help", below.public_id])
    assert not QueuePause.objects.exists()


def test_what_waits_in_a_queue_that_one_is_paused_in_does_not_wait_for_oneself(ana, ben, below):
    ReviewItemFactory.create_batch(2, queue=below)
    membership = Membership.objects.select_related("user").get(user=ana)
    assert queries.header_figures(membership=membership, queue=below).left_for_me == 2
    pausing.pause_expert(queue=below, user=ana, by=ben)
    assert queries.header_figures(membership=membership, queue=below).left_for_me == 0


def test_the_frame_stays_whole_on_a_persons_page(as_user, ana, ben, queue):
    page = as_user(ben).get(reverse("person", args=["tax-help", ana.public_id]))
    assert [place["name"] for place in page.context["places"]][:3] == [
        "review",
        "interactions",
        "agreement",
    ]


def test_an_expert_pauses_nobody(as_user, ana, ben, below):
    for name in ("pause_expert", "resume_expert"):
        where = reverse(name, args=["tax-help", ana.public_id])
        assert as_user(ana).post(where, {"queue": below.public_id}).status_code == 403
    assert not QueuePause.objects.exists()


def test_another_projects_queue_or_person_is_not_there(as_user, ben, ana, eve, other_project):
    theirs, _ = queue_with(other_project, items=0)
    where = reverse("pause_expert", args=["tax-help", ana.public_id])
    assert as_user(ben).post(where, {"queue": theirs.public_id}).status_code == 404
    where = reverse("pause_expert", args=["tax-help", eve.public_id])
    assert as_user(ben).post(where, {"queue": theirs.public_id}).status_code == 404
    assert not QueuePause.objects.exists()


def test_who_does_not_judge_there_is_not_paused_and_the_lead_is_told(as_user, ana, ben, queue):
    QueueMemberFactory(queue=queue, user=ben)
    where = reverse("pause_expert", args=["tax-help", ana.public_id])
    said = as_user(ben).post(where, {"queue": queue.public_id}, follow=True)
    assert "does not judge in this queue" in said.content.decode()
    assert Annotation.objects.count() == QueuePause.objects.count() == 0
