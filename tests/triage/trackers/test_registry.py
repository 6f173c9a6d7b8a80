"""The table of trackers."""

import pytest

from feedbackhub.outbound import Outcome
from triage.trackers import TRACKERS, choices
from triage.trackers.base import ConfigError
from triage.trackers.markers import markers_in


def test_choices_name_every_tracker():
    assert choices() == [
        ("jira", "Jira"),
        ("jira_dc", "Jira Data Center"),
        ("linear", "Linear"),
        ("github", "GitHub Issues"),
    ]


@pytest.mark.parametrize("tracker", TRACKERS.values(), ids=TRACKERS)
def test_every_tracker_marks_its_credentials_as_secret_and_explains_its_fields(tracker):
    names = [field.name for field in tracker.config_fields]

    assert len(set(names)) == len(names)
    for field in tracker.config_fields:
        assert field.is_secret is any(
            word in field.name for word in ("token", "key_", "api_key", "secret")
        )
        assert field.label and field.help


@pytest.mark.parametrize("tracker", TRACKERS.values(), ids=TRACKERS)
def test_every_tracker_refuses_empty_settings_by_field(tracker):
    with pytest.raises(ConfigError) as caught:
        tracker.normalise_config({}, {}, allowed_hosts=[])

    required = {field.name for field in tracker.config_fields if field.required}
    assert set(caught.value.errors) >= required - {"base_url"}
    assert caught.value.outcome is Outcome.REFUSED_FOR_GOOD


def test_markers_in_reads_whole_labels_only():
    marker = "3f0c9a52-7a7e-4d0e-9d1b-2f6f6c1f4a10"

    assert markers_in([f"fbh-{marker}", f"fbh-{marker}-copy", "fbh-7", None, 3]) == (marker,)
