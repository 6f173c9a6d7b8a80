"""The agreement report as rows of a table (a CSV file) and as JSON (the API): the same figures in the same words."""

from collections.abc import Iterator
from dataclasses import fields

from annotation.agreement.coefficients import Figure
from annotation.agreement.report import Report

COLUMNS = (
    "part", "key", "measure", "scale", "value", "low", "high", "items", "answers", "undefined_because",
)  # fmt: skip


def rows(report: Report, names: dict[int, str]) -> Iterator[tuple]:
    """One row for each figure; `names` say who the people are."""
    for each in [*report.fields, *report.categories]:
        yield _row(each.kind, each.key, "percent", "nominal", each.percent)
        yield _row(each.kind, each.key, "krippendorff_alpha", each.scale, each.alpha)
        yield _row(each.kind, each.key, "fleiss_kappa", "nominal", each.fleiss)
        if each.alpha_interval:
            yield _row(each.kind, each.key, "krippendorff_alpha", "interval", each.alpha_interval)
    if report.spans:
        for each in fields(report.spans):
            yield _row("spans", each.name, "f1", "", getattr(report.spans, each.name))
    about = "" if report.by == "verdict" else f"_{report.by}"
    for pair in report.pairs:
        both = f"{names[pair.one]} / {names[pair.other]}"
        if pair.spans:
            yield from _span_rows("pair_spans", both, pair.spans)
        else:
            yield _row(f"pair{about}", both, "percent", "nominal", pair.percent)
            yield _row(f"pair{about}", both, "cohen_kappa", report.by_scale, pair.kappa)
        if pair.marks:
            yield _row("pair_spans", both, "f1", "", pair.marks)
    for week in report.weeks:
        if week.spans:
            yield from _span_rows("week_spans", week.week, week.spans)
            continue
        yield _row(f"week{about}", week.week, "percent", "nominal", week.percent)
        yield _row(f"week{about}", week.week, "krippendorff_alpha", report.by_scale, week.alpha)


def _span_rows(part, key, spans) -> Iterator[tuple]:
    for each in fields(spans):
        yield _row(part, key, f"f1_{each.name}", "", getattr(spans, each.name))


def as_json(report: Report, names: dict[int, str]) -> dict:
    return {
        "items": report.items,
        "answers": report.answers,
        "is_capped": report.is_capped,
        "field": report.by,
        "figures": [dict(zip(COLUMNS, row, strict=True)) for row in rows(report, names)],
        "differences": [
            {
                "item_id": each.item.public_id,
                "interaction_id": each.item.external_id,
                "queue": each.item.queue,
                "distance": each.distance,
                "spans_f1": each.marks_f1,
            }
            for each in report.differences
        ],
    }


def _row(part, key, measure, scale, figure: Figure) -> tuple:
    return (
        part, key, measure, scale, figure.value, figure.low, figure.high, figure.items, figure.answers, figure.why,
    )  # fmt: skip
