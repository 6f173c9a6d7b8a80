"""A month in minutes: complaints become problems, problems tickets in both trackers; two fixes ship, one of them in vain.

Every number that the board shows is reckoned here anew, from what was sent. Small by default; a whole month by
`COMPLAINTS=3000 CAUSES=40 pytest -s tests/journeys/test_month.py`.
"""

import re
import sys
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from tests.browsing import Person
from tests.journeys.house import House, Tenant
from tests.journeys.month import DAYS, asked_for
from tests.journeys.outside import MailServer, Trackers
from tests.journeys.playing import Play
from tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.shared]

MOST_LEFT_ALONE = 0.05  # of the complaints
PASSWORD = "correct horse battery staple"
READ_BOARD = """() => [...document.querySelectorAll("[data-column]")].map(column => ({
    state: column.dataset.column,
    cards: [...column.querySelectorAll(".problem-card")].map(card => ({
        number: Number(card.id.slice(1)),
        reach: parseInt(card.querySelector(".reach .visually-hidden").textContent.replace(/\\D/g, "")),
        trend: card.querySelector(".sparkline .series")?.getAttribute("points") ?? "",
        words: card.textContent,
    })),
}))"""

READ_MATRIX = """() => [...document.querySelectorAll(".matrix svg a")].map(bubble =>
    [bubble.getAttribute("href"), bubble.getAttribute("aria-label")])"""


@pytest.fixture
def house():
    with ExitStack() as opened:
        mail, trackers = opened.enter_context(MailServer()), opened.enter_context(Trackers())
        yield opened.enter_context(House(mail=mail, trackers=trackers))


@pytest.fixture
def lead(browser, house):
    """Signs in once there is a project: `lead(slug)`. They may see no error."""
    people = []

    def lead(slug):
        house.manage(
            *("create_user", "lea@example.org", f"--project={slug}", "--password-stdin"),
            *("--role=lead", "--role=engineer"),
            stdin=PASSWORD,
        )
        people.append(Person(browser, house.url, viewport={"width": 1280, "height": 900}))
        people[0].sign_in("lea@example.org", PASSWORD)
        return people[0]

    yield lead
    assert [error for person in people for error in person.errors] == []


def test_a_month_of_complaints_and_two_fixes(house, lead):
    month, began = asked_for(), datetime.now(UTC)
    tenant = Tenant(house, with_trackers=True)
    play, lea = Play(month, tenant), lead(tenant.slug)
    tell_when_verified(lea, tenant)

    play.days(0, month.fixed_on)
    play.find_problems()
    assert sorted(play.numbers) == list(range(month.causes))
    assert {name: len(keys) for name, keys in house.trackers.keys().items()} == {
        "jira": month.causes,
        "linear": month.causes,
    }
    joined = regroup(lea, tenant)
    play.work_off()
    play.finish_tickets(month.repaired, month.regressing)
    assert figures_on(lea, tenant)["Ask what shipped"] == 2

    helps = play.fix(month.repaired, "Refunds are explained step by step.")
    play.fix(month.regressing, "Addresses can be changed until the parcel is packed.")
    assert figures_on(lea, tenant)["Ask what shipped"] == 0
    assert house.mail.mails == []
    assert play.replay(helps, month.repaired)["state"] == "verified"

    play.days(month.fixed_on, DAYS)
    regressed = "state = 'regressed'"
    wait_for(lambda: tenant.count("triage_problem", regressed) == 1, 120, "nothing came back")
    reopened = "kind = 'reopened' AND state = 'sent'"
    wait_for(lambda: tenant.count("triage_ticketnote", reopened) == 2, 120)
    wait_for(lambda: tenant.count("triage_ticket", "state = 'done'") == 2, 120)
    play.work_off()
    house.sweep()

    assert play.strays() == []
    alone = tenant.count("triage_placement", "problem_id IS NULL")
    tell(
        f"{month.complaints} complaints, {month.causes} problems, {joined} regrouped, {alone} left alone",
        began,
    )
    assert alone <= MOST_LEFT_ALONE * month.complaints
    expect_board(play, lea, tenant)
    expect_figures(play, tenant)
    expect_reporters_told(play, house)
    house.trackers.assert_clean()


def tell(what, began) -> None:
    """For whoever plays it with `-s`."""
    sys.stdout.write(f"\n{what}; {(datetime.now(UTC) - began).total_seconds():.0f} s\n")


# --- the board, and what it must say --------------------------------------------------------------


def tell_when_verified(lea, tenant) -> None:
    page = lea.go(f"/p/{tenant.slug}/settings/reporters/")
    page.get_by_text("When a fix is verified").click()
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_text("Saved").first.wait_for()


def figures_on(lea, tenant) -> dict[str, int]:
    """What stands above the board, by its words."""
    page = lea.go(f"/p/{tenant.slug}/problems/")
    texts = page.locator(".needs .stat").all_inner_texts()
    stats = [text.split("\n") for text in texts]
    return {lines[0]: int(re.sub(r"\D", "", lines[1])) for lines in stats}


def regroup(lea, tenant) -> int:
    """A lead asks what of that which was left alone belongs together, and accepts; answers how many cases joined."""
    before = tenant.count("triage_problemmember", "left_at IS NULL")
    lea.go(f"/p/{tenant.slug}/problems/regrouping/")
    lea.page.get_by_role("button", name="Prepare a proposal").click()
    ready = "state = 'ready'"
    wait_for(lambda: tenant.count("triage_regrouping", ready) == 1, 300, "no proposal came")
    lea.page.get_by_role("button", name="Accept all of it").click(timeout=30_000)
    wait_for(lambda: tenant.count("triage_regrouping", "state = 'accepted'") == 1, 300)
    lea.page.get_by_text("The last one was accepted").wait_for(timeout=30_000)
    return tenant.count("triage_problemmember", "left_at IS NULL") - before


def expect_board(play, lea, tenant) -> None:
    month, expected = play.month, play.expected(datetime.now(UTC))
    assert figures_on(lea, tenant) == {
        "Unsolved": month.causes - 1,
        "Overdue": 0,
        "Need a person": 0,
        "Ask what shipped": 0,
    }
    expect_matrix(lea, play, expected)
    state_of = dict.fromkeys(expected, "open") | {
        play.numbers[month.repaired]: "verified",
        play.numbers[month.regressing]: "regressed",
    }
    tickets = tickets_of(tenant)
    assert {number: len(keys) for number, keys in tickets.items()} == dict.fromkeys(expected, 2)
    for column in lea.page.evaluate(READ_BOARD):
        ranked = [n for n in expected if state_of[n] == column["state"]]
        ranked.sort(key=lambda number: -expected[number]["priority"])
        shown = [card["number"] for card in column["cards"]]
        assert [round(expected[n]["priority"], 1) for n in shown] == [
            round(expected[n]["priority"], 1) for n in ranked[:20]
        ]
        for card in column["cards"]:
            due = expected[card["number"]]
            assert card["reach"] == due["reach"]
            assert heights(card["trend"]) == scaled(due["trend"])
            assert all(key in card["words"] for key in tickets[card["number"]])
    for number in (play.numbers[month.regressing], play.numbers[month.causes - 1]):
        expect_problem_page(lea, tenant, number, expected[number])


def expect_matrix(lea, play, expected) -> None:
    """It says severity, frequency and reach of each problem but the repaired one."""
    drawn = {}
    for address, said in lea.page.evaluate(READ_MATRIX):
        words = re.search(r": (\w+), ([\d.,]+) per 1,000, reach ([\d,]+)$", said)
        severity, frequency, reach = words.groups()
        number = int(address.rstrip("/").rpartition("/")[2])
        drawn[number] = severity.lower(), number_in(frequency), number_in(reach)
    assert sorted(drawn) == sorted(set(expected) - {play.numbers[play.month.repaired]})
    for number, (severity, frequency, reach) in drawn.items():
        due = expected[number]
        assert (severity, reach) == (due["severity"], due["reach"])
        is_rounded = 0.05  # to one decimal
        assert frequency == pytest.approx(
            due["frequency"], abs=is_rounded + 0.01 * due["frequency"]
        )


def number_in(words) -> float:
    return float(words.replace(",", ""))


def expect_figures(play, tenant) -> None:
    """Of every problem, on a card or not."""
    expected = play.expected(datetime.now(UTC))
    shown = tenant.house.sql(
        "SELECT number, severity, member_count, reach, frequency, priority,"
        " due_at - CASE state WHEN 'regressed' THEN state_changed_at ELSE created_at END"
        " FROM triage_problem WHERE project_id = %s",
        tenant.id,
    )
    assert sorted(row[0] for row in shown) == sorted(expected)
    for number, severity, cases, reach, frequency, priority, time in shown:
        due = expected[number]
        assert (severity, cases, reach) == (due["severity"], due["cases"], due["reach"])
        assert frequency == pytest.approx(due["frequency"], rel=0.01)
        assert priority == pytest.approx(due["priority"], rel=0.02)
        hours = {"critical": 4, "high": 24}[severity]
        assert time.total_seconds() == pytest.approx(hours * 3_600, abs=120)


def expect_problem_page(lea, tenant, number, due) -> None:
    """The arithmetic of its priority, line by line."""
    words = lea.go(f"/p/{tenant.slug}/problems/{number}/").locator("main").inner_text()
    assert f"{due['frequency']:.2f} of 1,000 answers" in words
    (shown,) = tenant.house.sql(
        "SELECT member_count, reach, frequency, priority FROM triage_problem"
        " WHERE project_id = %s AND number = %s",
        tenant.id,
        number,
    )
    assert shown[:3] == (due["cases"], due["reach"], pytest.approx(due["frequency"], rel=0.01))
    assert shown[3] == pytest.approx(due["priority"], rel=0.02)


def expect_reporters_told(play, house) -> None:
    """Each reporter of what was repaired once, and nobody of what came back."""
    repaired = play.numbers[play.month.repaired]
    told = {each.id: each.person for each in play.month.told}
    reporters = {
        f"{told[name]}@example.org" for name, number in play.members() if number == repaired
    }
    mails = [address for address, _ in house.mail.mails if address.startswith("person-")]
    assert sorted(mails) == sorted(reporters)


def tickets_of(tenant) -> dict[int, list[str]]:
    rows = tenant.house.sql(
        "SELECT p.number, array_agg(t.key) FROM triage_ticket t"
        " JOIN triage_escalation e ON e.id = t.escalation_id"
        " JOIN triage_problem p ON p.id = e.problem_id WHERE p.project_id = %s GROUP BY 1",
        tenant.id,
    )
    return dict(rows)


def heights(points: str) -> list[float]:
    """The vertical places of a drawn line, from 0 (its lowest) to 1."""
    return scaled([-float(point.split(",")[1]) for point in points.split()])


def scaled(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [round((value - low) / (high - low or 1), 1) for value in values]
