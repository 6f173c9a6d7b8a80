"""RELIABILITY §3 with real processes: whatever is killed, frozen or emptied, nothing is lost and nothing is done twice.

Each house runs two beats from its first moment, so every test here is also one of "a second beat does no harm".
"""

import pytest

from tests.journeys.ledger import Ledger
from tests.processes import wait_for

# --- capture --------------------------------------------------------------------------------------


def test_web_killed_under_eight_clients_keeps_every_acknowledged_record_once(house, tenant):
    with Ledger(tenant) as ledger:
        ledger.wait_for_more(100)
        house.kill("web")
        house.start("web")
        ledger.wait_for_more(100)
    assert ledger.unknown != {}
    ledger.assert_holds()
    assert ledger.repeat_everything() <= {200, 201}
    ledger.assert_complete()
    ledger.assert_followed_up()


def test_postgresql_killed_under_eight_clients_keeps_every_acknowledged_record_once(house, tenant):
    with Ledger(tenant) as ledger:
        ledger.wait_for_more(100)
        house.kill_postgres()
        wait_for(lambda: ledger.unavailable_count >= 8, 60, "nobody was told that it is away")
        house.start_postgres()
        ledger.wait_for_more(100)
    ledger.assert_holds()
    assert ledger.repeat_everything() <= {200, 201}
    ledger.assert_complete()
    ledger.assert_followed_up()
    assert all(house.is_running(name) for name in ("web", "worker", "beat"))
