"""Trackers of our own for the adapters' tests, behind real sockets."""

import pytest

from feedbackhub.outbound import Limits
from tests.triage.trackers.fake_linear import KEY, SECRET, FakeLinear
from triage.trackers.linear import Linear


@pytest.fixture
def linear_api(httpserver):
    return FakeLinear(httpserver)


@pytest.fixture
def linear_tracker(linear_api):
    """`linear_tracker()`: the adapter of a connection to `linear_api`."""

    def make(status_map=None, secrets=None, **config):
        return Linear(
            {"base_url": linear_api.url, "team": "FBH", **config},
            {"api_key": KEY, "webhook_secret": SECRET, **(secrets or {})},
            status_map=status_map,
            allowed_hosts=[linear_api.host],
            limits=Limits(connect=1, read=0.4, total=1),
        )

    return make
