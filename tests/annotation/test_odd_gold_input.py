"""Whatever is sent to the pages and calls of gold, exports and the gate: an answer below 500, and a reason."""

import itertools
from urllib.parse import quote

import pytest
from django.urls import reverse

from annotation.assertions import KINDS
from annotation.export_options import READERS
from annotation.exports import FORMATS
from annotation.models import EvalRun, GoldExample
from tests.annotation.exports.house import frozen_house, made
from tests.factories import ReviewQueueFactory

WORDS = [
    "", " ", "\x00", "²", "٣", "-1", "0", "1", "1.5", "nan", "inf", "1e999", "9" * 20, "9" * 5_000, "a" * 5_000,
    "<script>alert(1)</script>", "'; --", "\u202e", "\ud7ff\U0010ffff", "[]", "{}", "null", "[[[", "a\r\nb", "%", "../..", "=1",
]  # fmt: skip
FEW = ["\x00", "²", "1e999", "9" * 20, "a" * 5_000, "<script>alert(1)</script>", "[[["]  # for pages
VALUES = [None, True, 0, -1, 2**31, 2**63, 10**30, 1.5, 1e308, [], [None], [[]], [{}], {}, {"a": 1}, ["a" * 300], *WORDS]  # fmt: skip


@pytest.fixture
def version(project, ben, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return frozen_house(project, ben)


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def refused_well(answer) -> bool:
    """The client lets what the server did not catch through, so most wrong answers never come this far."""
    return answer.status_code < 500


BODIES = {
    "exports/preview": {
        "version": 1, "format": "kto", "splits": ["train"], **dict.fromkeys(READERS),
    },
    "exports": {"version": 1, "format": "kto", "splits": ["train"]},
    "gold-versions": {"description": "", "tags": []},
    "gold-versions/1/evaluations": {
        "candidate": "c", "split": "train", "note": "", "versions": [], "results": [],
    },
}  # fmt: skip


@pytest.mark.parametrize("address", BODIES)
def test_a_call_with_any_value_in_any_field(api, version, address):
    client, body = api("export"), BODIES[address]
    for name, value in itertools.product([*body, "x" * 99], VALUES):
        given = body | {name: value}
        answer = client.post(f"/api/v1/{address}", given, content_type="application/json")
        assert refused_well(answer), (name, value, answer.content)
    for value in VALUES:
        assert refused_well(
            client.post(f"/api/v1/{address}", value, content_type="application/json")
        )


def test_a_result_of_any_shape(api, version):
    client = api("export")
    good = {"id": str(GoldExample.objects.earliest("id").public_id), "output": "x", "attempt": 1}
    for name, value in itertools.product([*good, "more"], VALUES):
        body = {"candidate": "c", "split": "train", "results": [good | {name: value}]}
        address = "/api/v1/gold-versions/1/evaluations"
        answer = client.post(address, body, content_type="application/json")
        assert refused_well(answer), (name, value, answer.content)


def test_lists_and_addresses_with_any_word(api, version):
    run = made(version, "kto")
    client = api("export")
    queries = {
        "gold": ["split", "verdict", "approved_since", "version", "cursor", "limit", "x"],
        "gold-versions": ["cursor", "limit"],
        "gold-versions/1/cases": ["split", "cursor", "limit"],
        "exports": ["format", "state", "cursor"],
        f"exports/{run.public_id}/file": ["part"],
        f"exports/{run.public_id}/link": ["part"],
        "evaluations": ["split", "state", "candidate", "cursor"],
    }
    for (address, names), word in itertools.product(queries.items(), WORDS):
        for name in names:
            assert refused_well(client.get(f"/api/v1/{address}", {name: word})), (
                address,
                name,
                word,
            )
    for word in ("0", "9" * 9, "9" * 30, "9" * 400):
        for tail in ("cases", "holdout"):
            assert client.get(f"/api/v1/gold-versions/{word}/{tail}").status_code == 404


def test_pages_with_any_word(as_user, ben, version):
    client = as_user(ben)
    queries = {
        url("gold"): ["q", "split", "verdict", "category", "retired", "contaminated", "unsettled", "since", "before", "after"],
        url("gold_version", 1): ["split", "verdict", "contaminated", "after"],
        url("version_differences", 1, 1): ["after"],
        url("gold_approve"): ["verdict", "severity", "feature", "category", "show", "case"],
        url("exports"): ["format", "version", "count", "state"],
        url("evaluations"): ["split", "state", "candidate"],
        url("gold_coverage"): ["x"],
    }  # fmt: skip
    for (address, names), word in itertools.product(queries.items(), FEW):
        for name in names:
            answer = client.get(address, {name: word})
            assert refused_well(answer), (address, name, word)
            assert b"<script>alert(1)" not in answer.content, (address, name)
    for word in ("0", "9" * 9, "9" * 30, quote("²"), quote("٣")):
        assert client.get(f"/p/tax-help/gold/versions/{word}/").status_code == 404
        assert client.get(f"/p/tax-help/gold/versions/1/since/{word}/").status_code == 404


def test_forms_with_any_word(as_user, ben, version, project):
    client = as_user(ben)
    queue = ReviewQueueFactory(project=project)
    example = GoldExample.objects.earliest("id")
    options = dict.fromkeys(READERS, "")
    run = EvalRun.objects.create(
        project=project, version=version, split="train", candidate="c", rules={}
    )
    interaction = example.interaction.public_id
    forms = {
        url("exports") + "?format=kto": {"version": "1", "splits": "train", "preview": "yes", **options},
        url("export_count_start"): {"version": "1", "format": "kto", "filter": '{"splits": ["train"]}'},
        url("gold_versions"): {"description": "", "tags": "a"},
        url("gold_version", 1): {"description": "", "tags": "a"},
        url("gold_approve"): {"case": str(example.public_id), "next": ""},
        url("gold_approve_all"): {"case": str(example.public_id)},
        url("gold_coverage"): {"part": "category", "key": "x", "queue": queue.slug},
        url("flag_interaction", interaction): {"queue": queue.slug, "reason": "", "is_urgent": ""},
        url("compare_run", run.public_id): {"queue": queue.slug, "most": "1"},
        url("override_evaluation", run.public_id): {"reason": "x"},
        url("gate_rules"): {"overall": "90", "most_broken": "", "min_likeness": "0.2", "holdout_uses": "9", "never": "", "severity_critical": ""},
        url("evaluations"): {"candidate": "c", "version": "1", "split": "validation", "versions": "", "results": ""},
    }  # fmt: skip
    for (address, form), word in itertools.product(forms.items(), FEW):
        for name in form:
            answer = client.post(address, form | {name: word})
            assert refused_well(answer), (address, name, word)
            assert b"<script>alert(1)" not in answer.content, (address, name)
    filters = [
        '{"splits": 5}',
        '{"splits": [[]]}',
        '{"max_characters": "x"}',
        '{"x": 1}',
        "[" * 9_999,
    ]
    for filter in filters:
        given = {"version": "1", "format": "kto", "filter": filter}
        assert client.post(url("export_count_start"), given).status_code == 400, filter[:50]


def test_assertions_of_any_word(as_user, ben, version):
    client = as_user(ben)
    interaction = GoldExample.objects.earliest("id").interaction
    for kind, word in itertools.product(KINDS.values(), [*FEW, "(a+)+$", "(?P<a", "[", "$ref"]):
        address = url("assertions", interaction.public_id) + f"?kind={kind.name}"
        answer = client.post(address, dict.fromkeys(kind.fields, word) | {"act": "try"})
        assert refused_well(answer), (kind.name, word)
        assert b"<script>alert(1)" not in answer.content, kind.name


def test_every_format_of_every_odd_filter_is_previewed_or_refused(api, version):
    client = api("export")
    odd = {"max_characters": 1, "max_similarity": 0, "min_severity": "critical", "min_agreement": 1}
    for format, (name, value) in itertools.product(FORMATS, odd.items()):
        body = {"format": format, name: value}
        answer = client.post("/api/v1/exports/preview", body, content_type="application/json")
        assert answer.status_code == 200 and answer.json()["rows"] >= 0, (format, name)
