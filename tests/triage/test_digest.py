"""What waits for somebody, by mail: in their morning, once a day, not when nothing waits or they want none."""

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from annotation import discussion
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import at_once, judge, queue_with
from tests.annotation.test_calibration import known_cases
from tests.cast import _member
from triage import digest, letters
from triage.models import Letter

TUESDAY = datetime(2026, 11, 24, 7, 5, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def forgetful(db):
    cache.clear()


@pytest.fixture
def disputed(project, ana, ben):
    """An item on which Ana and Cem differ; Ben named Ana in its discussion."""
    queue, (item,) = queue_with(project, overlap=2, is_blind=False)
    judge(ana, queue, "wrong")
    judge(_member(project, "Cem", "expert"), queue, "correct", "none")
    discussion.say(item=item, by=ben, text="Zaphodina says so.", mentions=[ana])
    return item


def write(now=TUESDAY):
    cache.clear()
    return digest.write_digests(now=now)


def test_each_for_whom_something_waits_gets_one_letter_with_numbers_and_a_link(
    project, disputed, ana, ben
):
    assert write() == 2
    found = {letter.user: letter for letter in Letter.objects.all()}
    assert set(found) == {ana, ben}
    assert found[ana].subject == "Tax help: 1 thing waits for you"
    assert "- You were named in 1 comment" in found[ana].body
    assert "- 1 dispute to settle" in found[ben].body
    assert reverse("waits_for_me", args=["tax-help"]) in found[ana].body
    assert "Zaphodina" not in found[ana].body, "it quotes nobody"
    for letter_id in letters.due_letters():
        letters.send_letter(letter_id=letter_id)
    assert sorted(message.to[0] for message in mail.outbox) == [ana.email, ben.email]


def test_once_a_day_whatever_comes_later_and_again_the_next_day(disputed, ana, ben):
    write()
    discussion.say(item=disputed, by=ben, text="And this?", mentions=[ana])
    assert write(TUESDAY.replace(hour=15)) == 0
    assert write(TUESDAY.replace(day=25)) == 2
    assert Letter.objects.filter(user=ana).count() == 2


def test_who_had_nothing_in_the_morning_gets_none_that_day(project, ana, ben):
    queue, (item,) = queue_with(project, is_blind=False)
    judge(ana, queue)
    assert write() == 0
    discussion.say(item=item, by=ben, text="Ana?", mentions=[ana])
    assert write(TUESDAY.replace(hour=9)) == 0
    assert write(TUESDAY.replace(day=25)) == 1


def test_morning_is_where_they_are(disputed, ana, ben):
    ana.time_zone = "America/New_York"
    ana.save()
    write()
    assert [letter.user for letter in Letter.objects.all()] == [ben]
    write(TUESDAY.replace(hour=12))
    assert Letter.objects.filter(user=ana).count() == 1


def test_who_switched_it_off_in_their_profile_gets_none(as_user, disputed, ana, ben):
    as_user(ana).post(reverse("profile"), {"name": "Ana", "time_zone": "UTC"})
    ana.refresh_from_db()
    assert not ana.wants_digest
    write()
    assert [letter.user for letter in Letter.objects.all()] == [ben]


def test_who_left_gets_none(disputed, ana, ben):
    ben.is_active = False
    ben.save()
    Membership.objects.filter(user=ana).delete()
    assert write() == 0


def test_on_mondays_who_is_below_the_bar_is_told_and_on_other_days_not_by_itself(project, ana, ben):
    known_cases(project, ben, 5)
    queue, _ = queue_with(project, items=0, name="Forms", onboarding_count=5)
    for _ in range(5):
        judge(ana, queue, "partly")
    assert write(MONDAY) == 1
    assert write(TUESDAY) == 0
    body = Letter.objects.get(user=ana).body
    assert "Known cases in Forms: 0 of the last 5 as they are settled; 70 % are asked for" in body


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one(disputed, ana, ben):
    members = list(Membership.objects.filter(user__in=[ana, ben]).select_related("user", "project"))
    day = TUESDAY.date()
    jobs = [lambda member=member: digest._write(member, day) for member in members]
    assert sorted(at_once(*jobs, *jobs, *jobs)) == [False] * 4 + [True] * 2
    assert Letter.objects.count() == 2


def test_it_is_looked_every_ten_minutes(project, disputed):
    assert write() == 2
    _member(project, "Olu", "owner")
    assert digest.write_digests(now=TUESDAY.replace(minute=8)) == 0
    assert digest.write_digests(now=TUESDAY.replace(minute=11)) == 1
