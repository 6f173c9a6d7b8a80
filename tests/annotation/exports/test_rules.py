"""Rules 5, 6, 7, 12 and 14 of DESIGN §3 for every format, on random projects.

With twins across the line, people who are forgotten, answers still disputed, corrections that are none, hostile text.
"""

import csv
import hashlib
import io
import json
from collections import Counter

import pgtrigger
import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, F
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import example as also
from hypothesis import strategies as st

from annotation import gold, splits
from annotation.candidates import propose_answer
from annotation.exports import FORMATS, TRAINING_FORMATS
from annotation.lineage import lineage
from annotation.models import Annotation, GoldExample, GoldVersionMember
from feedbackhub.accounts.models import Project
from feedbackhub.capture.erasure import erase_person
from feedbackhub.capture.models import (
    FeedbackEvent,
    NearDuplicateSignature,
    PromptVersion,
    Reporter,
)
from feedbackhub.capture.near_duplicates import place
from tests.annotation.exports.house import made
from tests.environment import IS_DEEP
from tests.factories import (
    AnnotationFactory,
    AssignmentFactory,
    CandidateAnswerFactory,
    FeedbackEventFactory,
    InteractionFactory,
    ReviewItemFactory,
    SettlementFactory,
)

MARKER = "Zaphodina"
SUBJECTS = ["bicycle depreciation for freelancers", "dosage of ibuprofen for children"]
HOSTILE = [
    "{{env.SECRET_KEY}}", "{% include 'x' %}", "file:///etc/passwd", "=HYPERLINK(1)", "\u2028\u0085\r\n", "</script>",
    '","label":true', "🙂\u0301\u202e", " ",
]  # fmt: skip
text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
)
case = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(SUBJECTS),  # the same subject: twins
        "question": text,
        "output": text,
        "correction": st.one_of(st.just(None), st.just("the output again"), text),
        "verdict": st.sampled_from(["correct", "partly", "wrong", "harmful"]),
        "alternatives": st.lists(text, max_size=2),
        "is_theirs": st.booleans(),
        "is_their_edit": st.booleans(),  # the reporter wrote the correction; they are forgotten later
        "is_disputed": st.booleans(),
        "split": st.sampled_from(["train", "train", "validation", "holdout"]),
        "before": st.sampled_from(
            [
                *([], ["system"], ["user", "assistant"], ["tool"], ["assistant"]),
                *(["user", "call", "tool", "assistant"], ["user", "call", "assistant"]),
            ]
        ),
        "arguments": st.one_of(st.just('{"of": "%s"}'), text.map(lambda said: said + "%s")),
        "has_tools": st.booleans(),
    }
)


class RolledBack(Exception):
    pass


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


def plain(**changed) -> dict:
    """A case that is wrong and put right, by nobody who is forgotten."""
    usual = {
        "subject": SUBJECTS[0], "question": "now", "output": "No, says ", "correction": "Yes.", "verdict": "wrong",
        "alternatives": ["Perhaps.", "Never."], "is_theirs": False, "is_their_edit": False, "is_disputed": False,
        "split": "train", "before": [], "arguments": '{"of": "%s"}', "has_tools": False,
    }  # fmt: skip
    return usual | changed


EACH_KIND = [  # what random cases need not hold: a pair, twins across the line, a disputed answer, one who is forgotten
    plain(),
    plain(split="holdout", before=["user", "call", "tool", "assistant"], has_tools=True),
    plain(subject=SUBJECTS[1], is_disputed=True),
    plain(subject="the licence of a harbour pilot", is_theirs=True),
    plain(subject="when a will is read and by whom it may be contested"),
]


def test_the_rules_hold_for_every_format(
    project, ana, ben, tmp_path, django_capture_on_commit_callbacks
):
    seen = Counter()

    @settings(
        max_examples=30 if IS_DEEP else 2,
        deadline=None,
        derandomize=not IS_DEEP,
        # each example makes forty exports: shrinking would take minutes
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @also(cases=EACH_KIND)
    @given(cases=st.lists(case, min_size=3, max_size=4))
    def hold(cases):
        with pytest.raises(RolledBack), transaction.atomic():
            version = a_version(project, ana, ben, cases)
            seen["disputed"] += any(each["is_disputed"] for each in cases)
            if version:
                runs = {format: made(version, format, splits=asked(format)) for format in FORMATS}
                seen["pairs"] += runs["trl_dpo"].row_count
                seen["twins"] += GoldExample.objects.values(
                    group=F("interaction__signature__group")
                ).alias(many=Count("pk")).filter(many__gt=1).count()  # fmt: skip
                for format, run in runs.items():
                    holds_every_rule(run, format)
                    again = made(version, format, splits=asked(format))
                    assert (again.digest, again.manifest) == (run.digest, run.manifest)
                a_twin_becomes_holdout()
                for format in TRAINING_FORMATS:
                    holds_every_rule(made(version, format), format)
                with django_capture_on_commit_callbacks(execute=True):
                    erase_person(project=project, ref_hash="theirs")
                for format, run in runs.items():
                    before = run.file_name
                    run.refresh_from_db()
                    assert run.state == "done"
                    holds_every_rule(run, format, is_of_before=run.file_name == before)
                for path in tmp_path.rglob("*"):
                    assert path.is_dir() or MARKER.encode() not in path.read_bytes()
                seen["forgotten"] += GoldExample.objects.exclude(erased_at=None).count()
            raise RolledBack

    hold()
    assert {kind for kind, times in seen.items() if times} == {
        *("pairs", "twins", "disputed", "forgotten")
    }


def asked(format) -> tuple[str, ...]:
    """Everything that may leave in it; a training format's own choice."""
    return () if FORMATS[format].is_training else FORMATS[format].splits


def a_version(project, ana, ben, cases):
    for number, each in enumerate(cases):
        interaction = an_interaction(project, number, each)
        group = place(interaction)
        approve(interaction, each, ana, ben)
        GoldExample.objects.filter(interaction=interaction).update(split=each["split"])
        splits.unite(group)
    try:
        return gold.freeze_gold_version(project=Project.objects.get(pk=project.pk), by=ben)
    except gold.NothingToFreeze:
        return None


def a_twin_becomes_holdout() -> None:
    """Its group merged with one that is kept apart; the news of it is still on its way."""
    example = GoldExample.objects.order_by("id").first()
    GoldExample.objects.filter(pk=example.pk).update(split="holdout")


def an_interaction(project, number, each):
    name = MARKER if each["is_theirs"] else "Trillian"
    question = f"{name} asks about {each['subject']} {each['subject'].title()} {each['question']}"
    before = [said_before(role, name, each["arguments"]) for role in each["before"]]
    prompt, _ = PromptVersion.objects.get_or_create(
        project=project, name="tax-help", version=f"v{number}"
    )
    return InteractionFactory(
        project=project,
        external_id=f"=chat/{number}",
        prompt_version=prompt,
        model=f"lumen-{number}",
        user_hash="theirs" if each["is_theirs"] else "others",
        messages=[*before, {"role": "user", "content": question}],
        tools=[{"type": "function", "function": {"name": name}}] if each["has_tools"] else [],
        output=each["output"] + name,
        metadata={
            "source": {
                "alternatives": each["alternatives"],
                "preferences": [
                    {"first": 1, "second": 2, "winner": 2},
                    {"first": 3, "second": 1, "winner": 1},
                ],
            }
        },
    )


def said_before(role, name, arguments) -> dict:
    if role == "call":
        called = {"name": f"ask {name}", "arguments": arguments.replace("%s", name)}
        call = {"id": "c", "type": "function", "function": called}
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    said = {"role": role, "content": f"{role} of {name}"}
    return said | {"tool_call_id": "c"} if role == "tool" else said


def approve(interaction, each, ana, ben) -> None:
    said = each["correction"]
    correction = interaction.output if said == "the output again" else said
    FeedbackEventFactory(interaction=interaction, comment="")
    item = ReviewItemFactory(
        interaction=interaction, queue__project=interaction.project, state="settled"
    )
    annotation = AnnotationFactory(
        assignment=AssignmentFactory(item=item, expert=ana, state="submitted"),
        note=f"What {interaction.output} says.",
    )
    if each["is_their_edit"]:
        reporter, _ = Reporter.objects.get_or_create(project=item.project, ref_hash="theirs")
        FeedbackEventFactory(interaction=interaction, reporter=reporter, kind="edit", comment="")
        answer = CandidateAnswerFactory(
            interaction=interaction, source="reporter", text=f"{MARKER} says {correction}"
        )
    else:
        answer = correction and propose_answer(
            interaction=interaction,
            text=correction,
            source="expert",
            author_id=ana.pk,
            item=item,
            annotation=annotation,
        )
    settlement = SettlementFactory(
        interaction=interaction, item=item, verdict=each["verdict"], chosen_answer=answer or None
    )
    settlement.annotations.add(annotation)
    if each["is_disputed"]:
        ReviewItemFactory(
            interaction=interaction, queue__project=interaction.project, state="disputed"
        )
    try:
        revision = gold.promote_to_gold(settlement=settlement, by=ben)
    except gold.NotReady:
        return
    assert not each["is_disputed"]
    # as somebody's careless import might leave it
    revision.rejected_answers.append(revision.ideal_answer + "\n")
    with pgtrigger.ignore():
        revision.save(update_fields=["rejected_answers"])


# --- the rules ------------------------------------------------------------------------------------


def holds_every_rule(run, format, *, is_of_before=False) -> None:
    """`is_of_before`: it was made before the split of an example became stricter, and could not know."""
    rows, notes = rows_of(run), lines(run, "provenance.jsonl")
    assert len(rows) == len(notes) == run.row_count
    if format in TRAINING_FORMATS:
        for row in rows:
            every_call_is_answered(row)
    assert len({"tools" in row for row in rows if format not in IF_USED}) < 2
    for row in rows:
        sides = pair_in(row)
        assert sides is None or sides[0].strip() != sides[1].strip()  # rule 5
    examples = GoldExample.objects.in_bulk(
        {note["example"] for note in notes}, field_name="public_id"
    )
    trains = format in TRAINING_FORMATS and not is_of_before
    for example in examples.values():
        assert not (trains and is_kept_apart(example))  # rule 6
        assert not example.interaction.erased_at  # rule 12
    for file in run.manifest["files"]:  # rule 7
        assert hashlib.sha256(read(run, file["name"])).hexdigest() == file["sha256"]
    for note in notes:  # rule 14
        of = next(e for key, e in examples.items() if str(key) == note["example"])
        trail, number = lineage(of), note["interaction"].removeprefix("=chat/")
        assert trail["interaction"] == {"id": note["interaction"], "model": f"lumen-{number}"}
        assert trail["prompt_version"] == {"name": "tax-help", "version": f"v{number}"}
        assert [a["id"] for a in trail["annotations"]] == ids_of(
            Annotation, assignment__item__interaction=of.interaction, assignment__state="submitted"
        )
        assert [f["id"] for f in trail["feedback"]] == ids_of(
            FeedbackEvent, interaction=of.interaction
        )
        assert trail["annotations"] and trail["feedback"]
        assert run.public_id in [each["id"] for each in trail["exports"]]


def ids_of(model, **where) -> list:
    return list(model.objects.filter(**where).order_by("id").values_list("public_id", flat=True))


IF_USED = (
    "openai_sft",
    "openai_preference",
    "promptfoo",
    "inspect",
)  # tools only where there are some


def every_call_is_answered(row) -> None:
    """Each call has its one answer before anybody else speaks, and each answer its call."""
    said = row.get("input", row).get("messages") or row.get("prompt") or row["chosen"]
    waiting = set()
    for message in said:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting
            waiting = {call["id"] for call in message.get("tool_calls", ())}
    assert not waiting


def is_kept_apart(example) -> bool:
    """It is holdout, or a near-duplicate of one."""
    signature = NearDuplicateSignature.objects.get(interaction=example.interaction)
    twins = GoldExample.objects.filter(interaction__signature__group=signature.group)
    was = GoldVersionMember.objects.filter(revision__example=example, split="holdout")
    return twins.filter(split="holdout").exists() or was.exists()


def rows_of(run) -> list[dict]:
    if run.format == "csv":
        return list(csv.DictReader(io.StringIO(read(run, "rows.csv").decode(), newline="")))
    files = [file["name"] for file in run.manifest["files"] if "rows" in file]
    return [row for name in files if name != "provenance.jsonl" for row in lines(run, name)]


def pair_in(row) -> tuple[str, str] | None:
    """The sides of a row that holds a pair, in whatever shape."""
    for chosen, rejected in (("chosen", "rejected"), ("preferred_output", "non_preferred_output")):
        if chosen in row:
            sides = [row[chosen], row[rejected]]
            return tuple(
                (side if isinstance(side, dict) else side[-1])["content"] for side in sides
            )
    return None


def read(run, name) -> bytes:
    with default_storage.open(f"{run.file_name}/{name}") as file:
        return file.read()


def lines(run, name) -> list[dict]:
    return [json.loads(line) for line in read(run, name).split(b"\n")[:-1]]
