"""What an expert said before: each revision of an answer held against the one before it, newest first."""

from itertools import groupby, pairwise

from annotation import review_screen
from annotation.answers import answers_of
from annotation.settling import current_schema

KINDS = ("verdicts", "severities", "categories", "root_causes", "span_labels", "rubric")


def of_item(item) -> list[dict]:
    """Of each expert who answered this item more than once."""
    return _told(item, item.annotations.all())


def of_assignment(assignment) -> list[dict]:
    """The same of one's own answers."""
    return _told(assignment.item, assignment.annotations.all())


# --- steps ----------------------------------------------------------------------------------------


def _told(item, annotations) -> list[dict]:
    """[{"expert", "changes": [{"annotation", "rows"}]}]; the rows are those that differ, `other` is what was said before."""
    given = annotations.select_related("expert", "schema", "preference__comparison", "assignment")
    given = given.prefetch_related("spans", "candidates").order_by("assignment", "revision")
    told, now = [], None
    for _assignment, of_one in groupby(given, key=lambda annotation: annotation.assignment_id):
        revisions = list(of_one)
        if len(revisions) < 2:
            continue
        now = now or current_schema(item.queue)
        choices = _choices([now, *(annotation.schema for annotation in revisions)])
        changes = [
            {"annotation": after, "rows": _differing(before, after, choices, item.interaction)}
            for before, after in pairwise(revisions)
        ]
        told.append(
            {"expert": revisions[0].expert, "first": revisions[0], "changes": changes[::-1]}
        )
    return told


def _differing(before, after, choices, interaction) -> list[dict]:
    rows = review_screen.compare_answers(answers_of(after), answers_of(before), choices)
    rows = [row for row in rows if row["differs"]]
    for row in rows:
        row["is_text"] = row["field"] in ("correction", "note") and (
            len(row["yours"]) + len(row["other"]) <= 2 * review_screen.LONGEST_COMPARED
        )
    return rows


def _choices(schemas) -> dict:
    """What could be said under any of these versions, in the newest words."""
    choices, known = {kind: [] for kind in KINDS}, set()
    for schema in dict.fromkeys(schemas):
        for kind, rows in review_screen.choices_of(schema).items():
            for row in rows:
                key = (kind, row.get("value") or row["key"])
                if key not in known:
                    choices[kind].append(row)
                known.add(key)
    return choices
