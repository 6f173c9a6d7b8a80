"""Gold to read in a spreadsheet: CSV with a header, a row for each rejected answer. No cell is taken for a formula.

A cell that a spreadsheet would run (it begins with = + - @, a tab or a line end, also in full width) gets an apostrophe
before it, and so does one that begins with an apostrophe: taking one away always gives back the text.
"""

from annotation.exports.cases import Case, Format

_RUNS = frozenset("=+-@\t\r\n＝＋－＠'")
COLUMNS = (
    "example", "interaction", "split", "verdict", "severity", "categories", "root_cause", "question",
    "ideal_answer", "rejected_answer", "agreement", "weight",
)  # fmt: skip


def harmless(text: str) -> str:
    """A spreadsheet takes a cell that begins like a formula for one: texts are other people's words."""
    return "'" + text if text.lstrip(" \xa0\u3000\ufeff")[:1] in _RUNS else text


def cell(value) -> str:
    """A quoted cell, its text never a formula."""
    text = harmless("" if value is None else str(value))
    return '"' + text.replace('"', '""') + '"'


def spell(row: dict) -> bytes:
    return ",".join(map(cell, row.values())).encode() + b"\n"


def rows(case: Case) -> list[dict]:
    labels = case.labels
    asked = next((m["content"] for m in reversed(case.messages) if m["role"] == "user"), "")
    return [
        dict(
            zip(
                COLUMNS,
                (
                    case.example_id,
                    case.interaction_id,
                    case.split,
                    labels.get("verdict", ""),
                    labels.get("severity", ""),
                    "; ".join(labels.get("categories", ())),
                    labels.get("root_cause", ""),
                    asked,
                    case.ideal_answer,
                    rejected,
                    case.agreement,
                    case.weight,
                ),
                strict=True,
            )
        )
        for rejected in case.rejected_answers or [""]
    ]


FORMAT = Format(
    name="csv",
    label="Spreadsheet (CSV)",
    description="To read, sort and count: question, ideal and rejected answer, labels. Nothing in it is taken for a formula.",
    is_training=False,
    rows=rows,
    spell=spell,
    head=",".join(COLUMNS).encode() + b"\n",
    file_for=lambda split: "rows.csv",
)
