"""`feedbackhub gate` against a running server: exit codes, reports, and what it says when something is wrong."""

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest
from django.utils import timezone

from annotation.evaluation import runs
from annotation.models import EvalRun
from feedbackhub.accounts.api_keys import create_api_key
from feedbackhub.outbox import delivery
from feedbackhub.sdk import cli, reports
from feedbackhub.sdk import gate as gating
from feedbackhub.sdk.client import Client, Refused, Unreachable
from tests.annotation.evaluation.candidate import answers, evaluate, gold_version
from tests.environment import ROOT
from tests.factories import ProblemFactory, ProblemMemberFactory
from triage import fixing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(project):
    return create_api_key(project=project, name="pipeline", scopes=["export"])[1]


@pytest.fixture
def gate(live_server, key, tmp_path, capsys):
    """`gate(version, rows)` → (exit code, what it said, the folder of its reports)."""

    def gate(version, rows=None, *more):
        given = []
        if rows is not None:
            (tmp_path / "out.jsonl").write_text("\n".join(map(json.dumps, rows)))
            given = ["--results", str(tmp_path / "out.jsonl")]
        code = cli.main(
            [
                *("gate", "--url", live_server.url, "--key", key, "--candidate", "prompt=v2"),
                *("--version", str(version.number), *given, *more),
                *("--junit", str(tmp_path / "gate.xml"), "--markdown", str(tmp_path / "gate.md")),
            ]
        )
        said = capsys.readouterr()
        return code, said.out + said.err, tmp_path

    return gate


def test_a_candidate_that_repairs_three_and_breaks_a_critical_one_is_red_then_green(
    gate, project, ben
):
    version = gold_version(project, ben, 12, severity_of={11: "critical"})
    runs.override(run=evaluate(version, wrong=[0, 1, 2]), by=ben, reason="The first one.")
    broken = answers(version)[11]["id"]

    code, said, folder = gate(version, answers(version, wrong=[11]))
    assert code == 1
    assert said.splitlines()[:2] == [
        "FAILS: 11 of 12 cases pass",
        f"  Critical: 0 of 1 pass, 100% must. First failure: {broken}.",
    ]
    written = (folder / "gate.md").read_text()
    assert "❌" in written and written.index("**Broke** (1)") < written.index("**Repaired** (3)")
    suite = ElementTree.parse(folder / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("13", "2")

    code, said, folder = gate(version, answers(version))
    assert (code, said.splitlines()[0]) == (0, "passes: 12 of 12 cases pass")
    assert ElementTree.parse(folder / "gate.xml").getroot().get("failures") == "0"


@pytest.mark.parametrize(
    ("candidate", "more"),
    [("prompt=v1.5 model=m", []), ("the new one", ["--carries", "v1.5"])],
)
def test_a_fix_whose_version_the_candidate_carries_is_verified(gate, project, ben, candidate, more):
    version = gold_version(project, ben, 2)
    problem = ProblemFactory(project=project)
    for revision in version.revisions.select_related("settlement"):
        ProblemMemberFactory(problem=problem, interaction=revision.settlement.interaction)
    fix = fixing.record_fix(
        project=project,
        summary="The rates are current.",
        problems_fixed=[problem],
        shipped_at=timezone.now(),
        carrier_version="v1.5",
    )
    code, said, _ = gate(version, answers(version), "--candidate", candidate, *more)
    assert code == 0, said
    delivery.deliver_due()
    fix.refresh_from_db()
    assert fix.state == "verified"


def test_the_report_counts_the_unanswered_beyond_those_that_the_summary_names(
    gate, project, ben, monkeypatch
):
    monkeypatch.setattr("annotation.evaluation.verdict.MOST_LISTED", 2)
    version = gold_version(project, ben, 5)
    code, _, folder = gate(version, answers(version)[:1])
    suite = ElementTree.parse(folder / "gate.xml").getroot()
    assert (code, suite.get("tests"), suite.get("failures")) == (1, "6", "5")
    assert len(suite.findall("testcase")) == 6 and len(suite.findall("testcase/failure")) == 5


def test_a_leads_word_turns_the_same_run_green(gate, live_server, key, project, ben, capsys):
    version = gold_version(project, ben, 1)
    code, said, _ = gate(version, answers(version, wrong=[0]))
    run = EvalRun.objects.get()
    assert code == 1 and f"feedbackhub verdict {run.public_id}" in said

    def verdict(run_id):
        code = cli.main(["verdict", "--url", live_server.url, "--key", key, str(run_id)])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = verdict(run.public_id)
    assert (code, said.splitlines()[0]) == (1, "FAILS: 0 of 1 cases pass")
    runs.override(run=run, by=ben, reason="The law changed.")
    code, said = verdict(run.public_id)
    assert (code, said.splitlines()[0]) == (0, "accepted although it fails: 0 of 1 cases pass")
    assert "The law changed." in said
    assert verdict("../keys") == (2, "feedbackhub: ../keys is no id of a run.\n")


def test_a_worn_out_holdout_is_said_before_a_single_case_is_answered(gate, project, ben, tmp_path):
    version = gold_version(project, ben, 2, split="holdout")
    runs.change_rules(project=project, holdout_uses=1)
    evaluate(version, split="holdout")
    command = f"touch {tmp_path / 'asked'}"
    code, said, _ = gate(version, None, "--split", "holdout", "--run", command)
    assert code == 2 and "as often as this project allows" in said
    assert not (tmp_path / "asked").exists()


def test_a_command_that_cannot_be_run_leaves_those_that_wait_alone(project, ben, tmp_path):
    """The first one goes, the second finds the program gone, the rest are never tried."""
    program = tmp_path / "answer"
    program.write_text(f"#!/bin/sh\necho >> {tmp_path / 'asked'}\nrm -f {program}\n")
    program.chmod(0o755)
    cases = [{"id": str(number)} for number in range(50)]

    class Cases:
        def pages(self, path, **query):
            return cases

    options = SimpleNamespace(
        run=str(program), version=1, split="validation", repeats=1, jobs=1, timeout=10
    )
    tried = []
    with pytest.MonkeyPatch.context() as patch:
        honest = gating._answer
        patch.setattr(gating, "_answer", lambda *given: tried.append(1) or honest(*given))
        with pytest.raises(gating.GateError, match="cannot be run"):
            gating.run_candidate(Cases(), options)
    assert len(tried) < 10


def test_a_command_answers_each_case_as_often_as_asked(gate, project, ben, tmp_path):
    version = gold_version(project, ben, 3)
    known = {row["id"]: row["output"] for row in answers(version)}
    (tmp_path / "known.json").write_text(json.dumps(known))
    (tmp_path / "answer.py").write_text(
        "import json, sys\n"
        "case = json.load(sys.stdin)\n"
        "assert case['messages'] and 'ideal' not in case\n"
        f"print(json.load(open({str(tmp_path / 'known.json')!r}))[case['id']])\n"
    )
    code, said, _ = gate(
        version, None, "--run", f"{sys.executable} {tmp_path / 'answer.py'}", "--repeats", "2"
    )
    assert code == 0, said
    assert EvalRun.objects.get().results.count() == 6


def test_as_many_commands_run_at_once_as_jobs_are_given(tmp_path):
    """Each waits until the other has begun: one after the other they would never end."""
    program = tmp_path / "answer"
    program.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/begun.$$\n"
        f'while [ "$(ls {tmp_path}/begun.* | wc -l)" -lt 2 ]; do sleep 0.02; done\necho met\n'
    )
    program.chmod(0o755)
    rows = gating.run_candidate(two_cases(), asked(program, jobs=2, timeout=30))
    assert [(row["id"], row["output"]) for row in rows] == [("0", "met"), ("1", "met")]


def two_cases():
    return SimpleNamespace(pages=lambda path, **query: [{"id": "0"}, {"id": "1"}])


def asked(program, **more):
    usual = {"version": 1, "split": "validation", "repeats": 1, "jobs": 1, "timeout": 10}
    return SimpleNamespace(run=str(program), **usual | more)


def test_a_terminal_sees_a_bar_and_a_log_sees_lines(tmp_path, monkeypatch):
    said = {}
    for is_terminal in (True, False):
        out = io.StringIO()
        out.isatty = lambda answer=is_terminal: answer
        monkeypatch.setattr(sys, "stderr", out)
        gating.run_candidate(two_cases(), asked("echo"))
        said[is_terminal] = out.getvalue()
    half, whole = "#" * 15 + "." * 15, "#" * 30
    assert said[True] == f"\r[{half}] 1 of 2 answers\r[{whole}] 2 of 2 answers\n"
    assert said[False] == "1 of 2 answers\n2 of 2 answers\n"


def test_a_command_that_fails_has_no_answer_and_fails_at_the_gate(gate, project, ben):
    version = gold_version(project, ben, 1)
    code, said, _ = gate(version, None, "--run", f"{sys.executable} -c 'raise SystemExit(3)'")
    assert code == 1 and "exit code 3" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--run", "no-such-program-here"], "cannot be run"),
        (["--results", "/no/such/file"], "No such file"),
        (["--split", "holdout", "--run", "cat"], "has no case in holdout"),
    ],
)
def test_what_went_wrong_is_said_with_exit_code_2(gate, project, ben, more, said):
    code, output, _ = gate(gold_version(project, ben, 1), None, *more)
    assert code == 2 and said in output


def test_a_refusal_names_the_row(gate, project, ben):
    code, said, _ = gate(gold_version(project, ben, 1), [{"id": "x", "output": "a"}])
    assert code == 2 and "results.0: There is no such case" in said


def test_a_wrong_key_and_a_dead_server_are_told_apart(live_server, project):
    with pytest.raises(Refused) as refused:
        Client(live_server.url, "fh_sk_wrong").get("gold-versions")
    assert refused.value.status == 401
    pauses = []
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:9", "x", sleep=pauses.append).get("gold-versions")
    assert pauses == [1, 2, 4, 8]


def test_the_client_needs_nothing_but_the_standard_library():
    blocked = "import sys; sys.modules.update(django=None, celery=None, structlog=None, redis=None)"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{blocked}; from feedbackhub.sdk.cli import main; main(['--help'])",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "gate" in done.stdout


def test_a_case_that_nobody_answered_is_a_failure_in_the_test_report(gate, project, ben):
    version = gold_version(project, ben, 3)
    _code, _said, folder = gate(version, answers(version)[:2])
    suite = ElementTree.parse(folder / "gate.xml").getroot()
    missing = answers(version)[2]["id"]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    assert suite.find(f"testcase[@name='{missing}']/failure").get("message") == (
        "No answer was sent."
    )


def a_run(**summary) -> dict:
    """A green run, its summary changed."""
    return {
        "passed": True,
        "version": 1,
        "split": "holdout",
        "candidate": "c",
        "url": "https://hub.example/x",
        "summary": {
            "passed_cases": 1,
            "cases": 1,
            "reasons": [],
            "flaky": [],
            "comparison": None,
            "overall": {"passed": 1, "cases": 1, "rate": 1, "low": 0, "high": 1, "needed": None},
            "severities": {},
            "categories": {},
        }
        | summary,
    }


def said_of(**summary):
    run = a_run(**summary)
    return reports.plain(run), reports.markdown(run)


@pytest.mark.parametrize(
    ("summary", "sentence"),
    [
        ({"undecided": ["u1", "u2"]}, "2 only a judge could decide, counted neither way: "),
        ({"contaminated": ["x1"]}, "1 in a training file or a twin of what is, left out: "),
        ({"flaky": ["f1"]}, "1 passing only sometimes, counted as failed: "),
        ({"flaky": ["f"] * 500, "counts": {"flaky": 700}}, "700 passing only sometimes"),
    ],
)
def test_what_counts_neither_way_stands_in_both_reports(summary, sentence):
    for said in said_of(**summary):
        assert sentence in said


def test_what_others_wrote_begins_no_line_of_its_own_and_steers_no_terminal():
    """GitHub runs a line of a log that begins with two colons."""
    why = "It does not mention “x”.\n::error::pwned\r\x1b]0;title\x07\u2028\u202eend"
    case = {"id": "c1", "severity": "critical", "why": why}
    plain, _markdown = said_of(comparison={"broken": [case]}, reasons=["All cases:\n::notice::x"])
    assert [line.lstrip()[:8] for line in plain.split("\n")] == [
        "passes: ", "All case", "broken: ", "https://", "",
    ]  # fmt: skip
    assert not [
        character for character in plain if not character.isprintable() and character != "\n"
    ]


def test_a_judges_agreement_stands_in_both_reports():
    kinds = {"ideal": {"asked": 9, "agreed": 9}, "rejected": {"asked": 9, "agreed": 2}}
    judge = {"model": "judge-1", "asked": 18, "agreed": 11, "is_trusted": False, **kinds}
    plain, markdown = said_of(judge=judge)
    assert "agrees with the people on 11 of 18 answers (9 of 9 ideal, 2 of 9 rejected)" in plain
    assert "too little, it had no say" in plain and "11 of 18 answers" in markdown


def test_a_judges_agreement_is_a_property_of_the_test_report():
    judge = {"model": "judge-1", "asked": 18, "agreed": 11, "is_trusted": False}
    for found, properties in [
        (
            judge,
            {
                "judge": "judge-1",
                "judge.agreed": "11",
                "judge.asked": "18",
                "judge.is_trusted": "false",
            },
        ),
        (None, {}),
    ]:
        suite = ElementTree.fromstring(reports.junit(a_run(judge=found), []))
        assert {
            each.get("name"): each.get("value") for each in suite.findall("properties/property")
        } == properties


def test_reports_say_how_many_there_are_beside_those_that_they_list():
    broken = [{"id": f"b{n}", "severity": "low", "why": "", "is_flaky": n == 0} for n in range(500)]
    comparison = {"broken": broken, "broken_count": 700}
    plain, markdown = said_of(comparison=comparison)
    assert "broken: and 680 more" in plain
    assert "**Broke** (700)" in markdown and "- and 680 more" in markdown
    assert "`b0` (low, passes only sometimes)" in markdown


def test_hostile_texts_are_quoted_in_every_report():
    hostile = "<!-- @everyone ![x](http://evil) | \x00\ud800"
    run = {
        "passed": False,
        "version": 1,
        "split": "validation",
        "candidate": hostile,
        "url": "https://hub.example/x",
        "summary": {
            "passed_cases": 0,
            "cases": 1,
            "reasons": [hostile],
            "flaky": [],
            "comparison": {"broken": [{"id": "a", "severity": "high", "why": hostile}]},
            "overall": {"passed": 0, "cases": 1, "rate": 0, "low": 0, "high": 1, "needed": None},
            "severities": {},
            "categories": {},
        },
    }
    written = reports.markdown(run)
    assert "![x]" not in written and "<!--" not in written and " @everyone" not in written
    results = [
        {
            "id": "a",
            "attempt": 1,
            "passed": False,
            "output": hostile,
            "checks": [{"check": "c", "passed": False, "why": hostile}],
        }
    ]
    ElementTree.fromstring(reports.junit(run, results))
