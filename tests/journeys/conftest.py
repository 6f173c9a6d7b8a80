"""Real processes for journeys. A house lives for a module: faults leave it as they found it."""

from contextlib import ExitStack

import pytest

from tests.environment import shared_folder
from tests.journeys.house import House, Tenant
from tests.journeys.outside import MailServer, Trackers
from tests.processes import RedisServer

BROKERS = [
    pytest.param("pgmq", marks=pytest.mark.xdist_group("faults-pgmq")),
    pytest.param("redis", marks=[pytest.mark.redis, pytest.mark.xdist_group("faults-redis")]),
]


@pytest.fixture(scope="module", params=BROKERS)
def house(request):
    """Web, worker and two beats on one broker; a PostgreSQL, a mail server and trackers of their own."""
    with ExitStack() as opened:
        house = opened.enter_context(
            House(
                redis=opened.enter_context(RedisServer()) if request.param == "redis" else None,
                mail=opened.enter_context(MailServer()),
                trackers=opened.enter_context(Trackers()) if shared_folder() else None,
            )
        )
        opened.enter_context(house.another("beat"))
        yield house


@pytest.fixture
def tenant(house):
    """A project of its own for each test."""
    return Tenant(house)
