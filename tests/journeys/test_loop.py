"""The whole loop in a browser: a flagged answer is judged, becomes gold and a training pair; a harmful one becomes a
ticket by itself in Jira and in Linear, its fix ships, each reporter hears of it once, and one says: still wrong.

Real processes: web, worker, beat, Chromium, an SMTP server, the strict doubles of both trackers.
"""

import email
import email.policy
import json
import re

import httpx
import pytest

from tests.browsing import Person
from tests.journeys.outside import MailServer, Trackers
from tests.journeys.seeding import HOOK_SECRET, SECRETS, settings_of
from tests.processes import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.shared]

PASSWORD = "correct horse battery staple"
QUESTION = "Can I deduct my bicycle?"
WRONG = "Yes, you can deduct the whole price of your bicycle."
RIGHT = "No. Claim the commuting allowance instead 🚲"
HARM = "Take the whole package at once."


@pytest.fixture
def outside():
    with MailServer() as mail, Trackers() as trackers:
        yield mail, trackers


@pytest.fixture
def house(outside):
    mail, trackers = outside
    settings = {"EMAIL_URL": mail.url, "OUTBOUND_ALLOWED_HOSTS": trackers.hosts}
    with Stack(settings=settings) as stack:
        yield stack


@pytest.fixture
def person(browser, house):
    """`person("ana@…")`: signed in, or a stranger without an address. None of them may see an error."""
    people = []

    def person(address=""):
        somebody = Person(browser, house.url, viewport={"width": 1280, "height": 900})
        people.append(somebody)
        if address:
            somebody.sign_in(address, PASSWORD)
        return somebody

    yield person
    for somebody in people:
        somebody.context.close()
    assert [error for somebody in people for error in somebody.errors] == []


def test_the_loop_from_a_complaint_to_still_wrong(house, outside, person):
    mail, trackers = outside
    api, hooks = set_up(house, trackers)
    capture(api)

    items = "SELECT count(*) FROM annotation_reviewitem"
    wait_for(lambda: house.sql(items) == [(3,)], 60, "nothing came to review")
    ana = person("ana@example.org")
    judge_by_keys(ana)

    ben = person("ben@example.org")
    approve_and_freeze(house, ben)
    row = export_pairs(ben)
    assert row == {
        "prompt": [{"role": "user", "content": QUESTION}],
        "chosen": [{"role": "assistant", "content": RIGHT}],
        "rejected": [{"role": "assistant", "content": WRONG}],
    }

    wait_for(lambda: states(house, "triage_escalation") == ["filed", "filed"], 60)
    assert {name: len(keys) for name, keys in trackers.keys().items()} == {"jira": 1, "linear": 1}
    assert states(house, "triage_ticket") == ["open", "open"]
    finish_tickets(trackers, hooks)
    wait_for(lambda: states(house, "triage_ticket") == ["done", "done"], 60, "no webhook counted")

    ship(ben)
    wait_for(lambda: states(house, "triage_notice") == ["sent", "sent"], 60, "nobody was told")
    assert sorted(address for address, _ in mail.mails) == ["ada@example.org", "bea@example.org"]
    assert states(house, "triage_problem") == ["shipped"]

    say_still_wrong(person(), mail.to("ada@example.org")[0])
    wait_for(lambda: states(house, "triage_problem") == ["regressed"], 60)
    said = "SELECT count(*) FROM triage_ticketnote WHERE kind = 'reopened' AND state = 'sent'"
    wait_for(lambda: house.sql(said) == [(2,)], 60, "the tickets were not reopened")
    for double in trackers.doubles.values():
        (issue,) = double.issues()
        said = [each for each in comments_of(issue) if "is open again" in json.dumps(each)]
        assert len(said) == 1
    wait_for(lambda: "done" not in states(house, "triage_ticket"), 60, "no ticket is open again")

    wait_for(
        lambda: mail.to("ben@example.org"), 60, "who ships was not told that it is still wrong"
    )
    assert "P1 is still wrong" in mail.to("ben@example.org")[0]

    trackers.assert_clean()
    assert len(mail.mails) == 3  # each reporter once, and the person who ships


# --- an operator sets it up -----------------------------------------------------------------------


def set_up(house, trackers) -> tuple[httpx.Client, dict[str, str]]:
    """By the commands that an operator's script has. Answers the product's client and the webhooks' addresses."""
    house.manage("create_project", "clinic")
    for name, *roles in (("ana", "expert"), ("ben", "lead", "engineer")):
        asked = [f"--role={role}" for role in roles]
        house.manage(
            *("create_user", f"{name}@example.org", "--project=clinic", "--password-stdin", *asked),
            stdin=PASSWORD,
        )
    key = house.manage("create_api_key", "--project=clinic", "--name=product", "--scope=capture")
    hooks = {}
    for name, url in trackers.urls.items():
        told = [f"--set={key}={value}" for key, value in settings_of(name, url).items()]
        made = house.manage(
            *("create_connection", "--project=clinic", f"--name={name}", f"--tracker={name}"),
            *("--secrets-stdin", "--test", *told),
            stdin=json.dumps(SECRETS[name]),
        )
        hooks[name] = json.loads(made)["webhook_url"]
    secret = json.loads(key)["secret"]
    return httpx.Client(
        base_url=house.url + "/api/v1",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=60,
    ), hooks


def capture(api) -> None:
    """Three answers: one that two people report, one reported by the first of them too, one with a thumb down."""
    answers = [
        ("tax-2", QUESTION, WRONG),
        ("dose-1", "How much of it may I take?", HARM),
        ("dose-2", "How much of it may I take, please?", HARM),
    ]
    complaints = [
        ("tax-2", "thumbs_down", "cem"),
        ("dose-1", "report", "ada"),
        ("dose-1", "report", "bea"),
        ("dose-2", "report", "ada"),
    ]
    interactions = [
        {"id": name, "feature": name.split("-")[0], "input": asked, "output": said}
        for name, asked, said in answers
    ]
    feedback = [
        {
            "interaction_id": name,
            "kind": kind,
            "category": "wrong",
            "reporter": {"ref": who, "email": f"{who}@example.org", "consent": True},
        }
        for name, kind, who in complaints
    ]
    assert api.post("/interactions", json=interactions).json()["accepted"] == 3
    assert api.post("/feedback", json=feedback).json()["accepted"] == 4


# --- an expert ------------------------------------------------------------------------------------


def judge_by_keys(ana) -> None:
    """No mouse: verdict, severity, category, correction and submit by the keys that are printed on them."""
    ana.go("/p/clinic/review/")
    for _ in range(2):
        first = title(ana)
        assert first.startswith("dose-")  # the most urgent first
        ana.press("4", "c", key_of(ana, "categories", "harmful"), "Control+Enter")
        wait_for(lambda before=first: title(ana) not in ("", before), 30, "no next item")
    assert title(ana) == "tax-2"
    ana.press("3", "m", key_of(ana, "categories", "factual_error"), "5", "Control+a")
    ana.page.keyboard.insert_text(RIGHT)
    ana.press("Control+Enter")
    wait_for(lambda: title(ana) != "tax-2", 30, "the last item stayed")


def title(ana) -> str:
    found = ana.page.locator("#review-title .review-id")
    return found.inner_text() if found.count() else ""


def key_of(ana, field: str, value: str) -> str:
    return ana.page.locator(f"input[name={field}][value={value}]").get_attribute("data-key")


# --- a lead ---------------------------------------------------------------------------------------


def approve_and_freeze(house, ben) -> None:
    settled = "SELECT count(*) FROM annotation_settlement WHERE takes_effect_at < now()"
    wait_for(lambda: house.sql(settled) == [(3,)], 60, "the undo did not pass")
    page = ben.go("/p/clinic/gold/approve/")
    page.get_by_role("button", name="Approve as gold").wait_for()
    assert RIGHT.split()[-2] in page.locator("main").inner_text()
    ben.press("a")
    page.get_by_text("No settled case waits").wait_for()
    page = ben.go("/p/clinic/gold/versions/")
    page.get_by_role("button", name="Freeze version 1").click()
    page.get_by_text("1 example", exact=False).first.wait_for()


def export_pairs(ben) -> dict:
    """Made in the browser by the worker, watched, downloaded: its one row."""
    page = ben.go("/p/clinic/exports/")
    page.get_by_role("link", name=re.compile(r"^Preference pairs \(TRL DPO\)")).click()
    page.get_by_role("button", name="Export", exact=True).click()
    rows = page.get_by_role("link", name="Rows", exact=True)
    rows.wait_for()
    with page.expect_download() as download:
        rows.click()
    lines = download.value.path().read_bytes().split(b"\n")
    assert lines.pop() == b""
    (line,) = lines
    return json.loads(line)


def finish_tickets(trackers, hooks) -> None:
    """Somebody at the tracker moves the ticket; the tracker tells us by its own signed webhook."""
    moves = {"jira": ("transition", "Done"), "linear": ("state", "completed")}
    for name, double in trackers.doubles.items():
        double.admin("webhooks", {"url": hooks[name], "secret": HOOK_SECRET})
        (key,) = trackers.keys()[name]
        do, to = moves[name]
        double.admin("act", {"do": do, "issue": key, "to": to})


def ship(ben) -> None:
    page = ben.go("/p/clinic/problems/1/")
    assert page.get_by_text("Done").count() >= 2
    page = ben.go("/p/clinic/fixes/record/?problems=P1")
    page.locator("[name=summary]").fill("It names the right dose now.")
    page.get_by_role("button", name=re.compile("Record the fix")).click()
    page.wait_for_url(re.compile(r"/fixes/[0-9a-f-]{36}/$"))


def say_still_wrong(ada, raw_mail: str) -> None:
    """By the link in her mail, signed in nowhere."""
    message = email.message_from_string(raw_mail, policy=email.policy.default)
    body = message.get_body().get_content()
    assert "It names the right dose now." in body
    link = re.search(r"http\S+/r/\S+/", body)[0]
    page = ada.go(link)
    page.locator("textarea").fill("It still says the whole package.")
    page.get_by_role("button", name="It is still wrong").click()
    page.get_by_text("It is open again").wait_for()


# --- what the house holds -------------------------------------------------------------------------


def states(house, table: str) -> list[str]:
    return [state for (state,) in house.sql(f"SELECT state FROM {table} ORDER BY id")]


def comments_of(issue) -> list:
    return issue["comments"] if "comments" in issue else issue["fields"]["comment"]["comments"]
