"""Importing a file: streamed, resumed after a kill, never doubled."""

import gzip
import io
import json

import pytest
from django.core.management import CommandError, call_command

from feedbackhub.capture import importing
from feedbackhub.capture.mappings import sample
from feedbackhub.capture.models import FeedbackEvent, ImportRun, Interaction


def rows(count):
    for n in range(count):
        yield {"id": f"i{n}", "input": "Hello", "output": f"Answer {n}"}
        yield {"id": f"f{n}", "interaction_id": f"i{n}", "kind": "thumbs_down"}


@pytest.fixture
def file(tmp_path):
    def write(lines, name="rows.jsonl"):
        path = tmp_path / name
        content = "".join(
            line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines
        ).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_and_their_feedback_go_in(project, file, name):
    progress = importing.import_file(project=project, path=file(rows(3), name))
    assert progress.counts == {"interactions_accepted": 3, "feedback_accepted": 3}
    assert FeedbackEvent.objects.exclude(interaction=None).count() == 3
    assert set(FeedbackEvent.objects.values_list("source", flat=True)) == {"import"}


def test_a_second_time_brings_nothing_new(project, file):
    path = file(rows(3))
    importing.import_file(project=project, path=path)
    again = importing.import_file(project=project, path=path, starts_over=True)
    assert again.counts == {"interactions_duplicate": 3, "feedback_duplicate": 3}
    assert Interaction.objects.count() == 3


def test_a_killed_import_goes_on_where_it_stopped(project, file, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    path = file(rows(5))

    class Killed(BaseException):
        pass

    def die_at_four(progress):
        if progress.rows == 4:
            raise Killed

    with pytest.raises(Killed):
        importing.import_file(project=project, path=path, on_progress=die_at_four)
    assert ImportRun.objects.get().rows_done == 4
    progress = importing.import_file(project=project, path=path)
    assert progress.counts == {"interactions_accepted": 5, "feedback_accepted": 5}


def test_a_broken_line_is_a_rejected_row_with_its_number(project, file):
    first, second = next(rows(1)), {"id": "i9", "output": "b"}
    progress = importing.import_file(
        project=project, path=file([first, "{broken\n", "\n", "7\n", second])
    )
    assert progress.counts == {"interactions_accepted": 2, "interactions_invalid": 2}
    assert [error["line"] for error in progress.errors] == [2, 3]


def test_a_truncated_gzip_keeps_what_was_whole_and_says_so(project, file, tmp_path):
    path = file(rows(3_000), "rows.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CommandError, match="cannot be read to its end"):
        call_command("import_interactions", str(path), "--project", project.slug)
    assert ImportRun.objects.get().finished_at is None


def test_the_command_prints_what_became_of_the_rows(project, file):
    out = io.StringIO()
    call_command("import_interactions", str(file(rows(2))), "--project", project.slug, stdout=out)
    assert json.loads(out.getvalue()) == {
        "rows": 4,
        "feedback_accepted": 2,
        "interactions_accepted": 2,
        "errors": [],
    }


SAMPLE = {
    "interaction_id": "qa-1",
    "session_id": "s-1",
    "dataset": "qa",
    "turn": 1,
    "user_input": "And now?",
    "system_prompt": None,
    "retrieved_context": [{"id": "p1", "title": "A page", "text": "Some text."}],
    "raw_output": "Write to ana@example.org. That is wrong 🙂 here.",
    "model": "m",
    "temperature": 0.2,
    "human_labels": [
        {
            "target": "raw_output",
            "start": 26,
            "end": 39,
            "text": "That is wrong",
            "type": "Irrelevant",
            "severity": None,
            "annotator": "a",
            "note": None,
        }
    ],
    "item_labels": [{"name": "is_factual", "value": False, "annotator": "a"}],
    "corrections": [{"text": "Better.", "annotator": "a"}],
    "feedback": [
        {"kind": "rating", "value": "Could be Improved", "text": "Meh.", "annotator": None},
        {"kind": "thumb", "value": "up", "text": None, "count": 3},
    ],
    "meta": {"history": ["First?", "First answer."]},
}


def test_a_research_row_becomes_an_interaction_with_all_that_was_said(project, file):
    importing.import_file(project=project, path=file([SAMPLE]), mapping="sample")
    row = Interaction.objects.get()
    assert [message["role"] for message in row.messages] == ["user", "assistant", "user"]
    kinds = sorted(FeedbackEvent.objects.values_list("kind", flat=True))
    assert kinds == ["edit", "rating", "thumbs_up", "thumbs_up", "thumbs_up"]
    rating = FeedbackEvent.objects.get(kind="rating")
    assert round(rating.score, 2) == 0.33
    assert rating.metadata == {"word": "Could be Improved"}


def test_marked_spans_are_where_the_text_is_after_redaction(project, file):
    importing.import_file(project=project, path=file([SAMPLE]), mapping="sample")
    row = Interaction.objects.get()
    (span,) = row.metadata["spans"]
    assert "ana@example.org" not in row.output
    assert row.output[span["start"] : span["end"]] == "That is wrong"


def test_a_row_of_another_shape_is_refused_by_its_line(project, file):
    progress = importing.import_file(project=project, path=file(rows(1)), mapping="sample")
    assert progress.counts == {"interactions_invalid": 2}
    assert "no row of the mapping 'sample'" in progress.errors[0]["errors"][0]["message"]


def test_a_span_that_a_mask_swallows_becomes_the_mask(project):
    label = {**SAMPLE["human_labels"][0], "start": 9, "end": 24}
    ((interaction,), _) = sample({**SAMPLE, "human_labels": [label]})
    (span,) = interaction["metadata"]["spans"]
    assert (span["start"], span["end"]) == (9, 9 + len("[EMAIL]"))
