"""RELIABILITY §3 with real processes: whatever is killed, frozen or emptied, nothing is lost and nothing is done twice.

Each house runs two beats from its first moment, so every test here is also one of "a second beat does no harm".
"""

import hashlib

import pytest

from tests.journeys.house import Tenant
from tests.journeys.ledger import Ledger
from tests.journeys.outside import CREATE
from tests.processes import wait_for

PAST = "now() - interval '1 second'"


@pytest.fixture
def trackers(house):
    return house.trackers


@pytest.fixture
def filing_tenant(house):
    return Tenant(house, with_trackers=True)


# --- capture --------------------------------------------------------------------------------------


def test_web_killed_under_eight_clients_keeps_every_acknowledged_record_once(house, tenant):
    with Ledger(tenant) as ledger:
        ledger.wait_for_more(40)
        house.kill("web")
        house.start("web")
        ledger.wait_for_more(40)
    assert ledger.unknown != {}
    ledger.assert_holds()
    ledger.repeat_everything()
    ledger.assert_complete()
    ledger.assert_followed_up()


def test_postgresql_killed_under_eight_clients_keeps_every_acknowledged_record_once(house, tenant):
    with Ledger(tenant) as ledger:
        ledger.wait_for_more(40)
        house.kill_postgres()
        wait_for(lambda: ledger.unavailable_count >= 8, 60, "nobody was told that it is away")
        house.start_postgres()
        ledger.wait_for_more(40)
    ledger.assert_holds()
    ledger.repeat_everything()
    ledger.assert_complete()
    ledger.assert_followed_up()
    assert all(house.is_running(name) for name in ("web", "worker", "beat"))


@pytest.mark.parametrize("house", ["redis"], indirect=True)
def test_capture_goes_on_without_redis_and_the_sweep_finishes_its_work(house, tenant):
    house.redis.kill()
    tenant.post_thumbs("without", 5)
    house.sweep()
    assert tenant.count("annotation_reviewitem") == 5

    house.redis.start()
    house.kill("worker")
    tenant.post_thumbs("forgotten", 5)
    house.redis.empty()
    house.start("worker")
    house.sweep()
    assert tenant.count("annotation_reviewitem") == 10

    tenant.post_thumbs("again", 5)
    wait_for(lambda: tenant.count("annotation_reviewitem") == 15, 90, "nobody told the worker")


# --- filing ---------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_worker_killed_between_create_and_row_files_one_ticket_in_each_tracker(
    house, trackers, filing_tenant
):
    before = trackers.keys()
    trackers.fault(CREATE, when="after", do="hang", delay_s=12)
    filing_tenant.report_harm("ada@example.org")
    new = wait_for(lambda: new_in_each(trackers, before), 60, "the tickets were not made")
    house.kill("worker")
    assert filing_tenant.column("triage_escalation", "state") == ["filing", "filing"]
    assert filing_tenant.count("triage_ticket") == 0

    house.start("worker")
    file_what_waits(house, filing_tenant)
    assert filing_tenant.column("triage_ticket", "key") == new
    assert new_in_each(trackers, before) == new
    trackers.assert_clean()


@pytest.mark.shared
def test_a_frozen_worker_that_thaws_past_its_lease_files_no_second_ticket(
    house, trackers, filing_tenant
):
    before = trackers.keys()
    trackers.fault(CREATE, when="after", do="hang", delay_s=12)
    filing_tenant.report_harm("ada@example.org")
    new = wait_for(lambda: new_in_each(trackers, before), 60, "the tickets were not made")
    house.freeze("worker")
    try:
        assert filing_tenant.column("triage_escalation", "state") == ["filing", "filing"]
        with house.another("worker"):
            file_what_waits(house, filing_tenant)
    finally:
        house.thaw("worker")
    wait_until_at_work(filing_tenant)
    assert filing_tenant.column("triage_escalation", "state") == ["filed", "filed"]
    assert filing_tenant.column("triage_escalation", "failure") == ["", ""]
    assert filing_tenant.column("triage_ticket", "key") == new
    assert new_in_each(trackers, before) == new
    trackers.assert_clean()


def new_in_each(trackers, before) -> list[str]:
    """The keys that were not there before, once each tracker has one."""
    now = trackers.keys()
    new = {name: set(now[name]) - set(before[name]) for name in now}
    return sorted(key for keys in new.values() for key in keys) if all(new.values()) else []


def file_what_waits(house, tenant) -> None:
    """The minutes of leases and pauses go by, and sweeps with them, until both are filed."""

    def are_filed() -> bool:
        tenant.move("triage_trackerconnection", paused_until="NULL")
        tenant.move(
            "triage_escalation",
            due_at=PAST,
            unknown_since="now() - interval '10 min'",
            lease_until=f"CASE WHEN lease_until IS NULL THEN NULL ELSE {PAST} END",
        )
        house.sweep()
        return tenant.column("triage_escalation", "state") == ["filed", "filed"]

    wait_for(are_filed, 120, "the tickets were not found again")


# --- exporting ------------------------------------------------------------------------------------

EXAMPLES, BATCH = 1_100, 1_000  # the export's own batch: it says how far it is after each


def test_a_worker_killed_in_the_middle_of_an_export_leaves_the_same_bytes(house, tenant):
    house.seed("gold", slug=tenant.slug, examples=EXAMPLES)
    with house.locked(*last_revision(tenant)):
        run = tenant.post("/exports", {"format": "trl_dpo"})
        wait_until_halfway(house, tenant, run)
        house.kill("worker")
        assert tenant.client.get(f"/exports/{run['id']}/file").status_code == 409
        tenant.move("annotation_exportrun", lease_until=PAST)
        house.sweep()
        house.start("worker")
        # the dead worker's session still stands there, with rows that it will yet commit
        wait_until_halfway(house, tenant, run, standing=2)
    finished(tenant, run)
    same_bytes_elsewhere(house, tenant, run)


def test_a_frozen_worker_that_thaws_past_its_lease_spoils_no_export(house, tenant):
    house.seed("gold", slug=tenant.slug, examples=EXAMPLES)
    with house.locked(*last_revision(tenant)):
        run = tenant.post("/exports", {"format": "trl_dpo"})
        wait_until_halfway(house, tenant, run)
        house.freeze("worker")
    try:
        tenant.move("annotation_exportrun", lease_until=PAST)
        house.sweep()
        with house.another("worker"):
            finished(tenant, run)
    finally:
        house.thaw("worker")
    wait_until_at_work(tenant)
    same_bytes_elsewhere(house, tenant, run)


def last_revision(tenant) -> tuple:
    """A row that the export's second batch refers to: locked, it stands still in the middle."""
    query = "SELECT id FROM annotation_goldrevision WHERE project_id = %s"
    return f"{query} AND id = (SELECT max(id) FROM annotation_goldrevision)", tenant.id


def wait_until_halfway(house, tenant, run, *, standing=1) -> None:
    wait_for(lambda: tenant.get(f"/exports/{run['id']}")["progress"] == BATCH, 90)
    house.wait_until_standing(standing)


def finished(tenant, run) -> None:
    def state() -> str:
        return tenant.get(f"/exports/{run['id']}")["state"]

    wait_for(lambda: state() in ("done", "failed"), 90, "the export was not finished")
    assert state() == "done"


def same_bytes_elsewhere(house, tenant, run) -> None:
    """I11 and I12: the file is as its manifest says, and another process in another place makes the same."""
    manifest = tenant.get(f"/exports/{run['id']}/manifest")
    rows = tenant.client.get(f"/exports/{run['id']}/file").content
    (file, _) = manifest["files"]
    assert (file["rows"], file["bytes"]) == (EXAMPLES, len(rows))
    assert rows.count(b"\n") == EXAMPLES
    assert file["sha256"] == hashlib.sha256(rows).hexdigest()
    elsewhere = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    again = house.command("export", "--project", tenant.slug, "--format", "trl_dpo", **elsewhere)
    assert again["files"] == manifest["files"]
    exported = "export_id = (SELECT id FROM annotation_exportrun WHERE public_id = %s)"
    assert tenant.count("annotation_exportmember", exported, run["id"]) == EXAMPLES


# --- sending --------------------------------------------------------------------------------------


def test_a_worker_killed_before_the_mail_was_handed_over_sends_it_once(house, tenant):
    tenant.report_harm("ada@example.org")
    house.mail.stall("RCPT")
    ship_fix(house, tenant)
    wait_for(house.mail.is_holding.is_set, 60, "no mail was begun")
    house.kill("worker")
    house.mail.let_go()
    assert tenant.column("triage_notice", "state") == ["pending"]

    house.start("worker")
    tenant.move("triage_notice", lease_until=PAST, due_at=PAST)
    house.sweep()
    wait_for(lambda: tenant.column("triage_notice", "state") == ["sent"], 60, "it was not sent")
    assert len(mails_of(house, tenant)) == 1


def test_a_worker_killed_after_the_mail_was_handed_over_sends_no_second_one(house, tenant):
    tenant.report_harm("ada@example.org")
    house.mail.stall("DATA")
    ship_fix(house, tenant)
    wait_for(house.mail.is_holding.is_set, 60, "no mail was begun")
    house.kill("worker")
    house.mail.let_go()
    assert tenant.column("triage_notice", "state") == ["sending"]

    house.start("worker")
    tenant.move("triage_notice", lease_until=PAST, due_at=PAST)
    house.sweep()
    assert tenant.column("triage_notice", "state") == ["uncertain"]
    house.sweep()
    wait_until_at_work(tenant)
    assert tenant.column("triage_notice", "state") == ["uncertain"]
    assert len(mails_of(house, tenant)) == 1


def test_a_frozen_worker_that_thaws_past_its_lease_sends_no_second_mail(house, tenant):
    tenant.report_harm("ada@example.org")
    house.mail.stall("RCPT")
    ship_fix(house, tenant)
    wait_for(house.mail.is_holding.is_set, 60, "no mail was begun")
    house.freeze_worker()
    try:
        tenant.move("triage_notice", lease_until=PAST, due_at=PAST)
        with house.another("worker"):
            house.sweep()
            # the frozen one may hold that ring; beats ring again every 30 seconds
            wait_for(lambda: tenant.column("triage_notice", "state") == ["sent"], 150)
    finally:
        house.mail.let_go()
        house.thaw("worker")
    wait_until_at_work(tenant)
    assert tenant.column("triage_notice", "state") == ["sent"]
    assert len(mails_of(house, tenant)) == 1


def ship_fix(house, tenant) -> None:
    """Once the complaint has become a problem, its repair ships; each test's words are its own."""
    wait_for(lambda: tenant.count("triage_problem") == 1, 60, "no problem was opened")
    house.seed("fix", slug=tenant.slug, summary=f"The dose is right now, says {tenant.slug}.")


def mails_of(house, tenant) -> list[str]:
    return [text for text in house.mail.to("ada@example.org") if tenant.slug in text]


# --- beats ----------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_flood_of_sweeps_files_and_sends_everything_once(house, trackers, filing_tenant):
    """As of many beats at once, while the doorbells ring as well."""
    before = trackers.keys()
    filing_tenant.report_harm("ada@example.org", "bea@example.org")
    house.seed("ring_for_sweeps", times=20)
    wait_for(lambda: filing_tenant.column("triage_escalation", "state") == ["filed"] * 2, 60)
    ship_fix(house, filing_tenant)
    house.seed("ring_for_sweeps", times=20)
    wait_for(lambda: filing_tenant.column("triage_notice", "state") == ["sent"] * 2, 60)
    wait_until_at_work(filing_tenant)
    assert filing_tenant.count("triage_problem") == 1
    assert filing_tenant.column("triage_ticket", "key") == new_in_each(trackers, before)
    told = sorted(address for address, text in house.mail.mails if filing_tenant.slug in text)
    assert told == ["ada@example.org", "bea@example.org"]
    trackers.assert_clean()


def wait_until_at_work(tenant) -> None:
    """The worker has done what stood in its queue before now: a piece of news sent after it was told."""
    before = tenant.count("annotation_reviewitem")
    tenant.post_thumbs("mark", 1)
    wait_for(lambda: tenant.count("annotation_reviewitem") > before, 60, "the worker does nothing")
