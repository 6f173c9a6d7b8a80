"""What stands beside an export: which gold, how it was chosen, what stayed behind and why, and the digest of every file."""

import hashlib

from annotation.export_options import SEVERITY_WEIGHT
from annotation.export_reading import has_tools
from annotation.models import ExportRun, GoldVersionMember
from annotation.splits import DESCRIPTION as SPLITTER
from feedbackhub import redaction

LICENCE = (
    "The contents are your project's own. Check that your users' terms allow training on them."
)


def manifest_of(
    run: ExportRun, *, case_count: int, agreement: float | None, splits: dict, left_out: dict, files
) -> dict:
    """The manifest, with the files that are there so far. The same export has the same manifest.

    `agreement` is that of the cases which left, not of the version: the holdout stays unknown to who trains.
    """
    version = run.version
    members = GoldVersionMember.objects.filter(version=version)
    schemas = (
        members.values_list(
            "revision__settlement__schema__name", "revision__settlement__schema__version"
        )
        .distinct()
        .order_by("revision__settlement__schema__name", "revision__settlement__schema__version")
    )
    weights = (
        {"weights": {"severity": SEVERITY_WEIGHT, "agreement": "share of the experts who agreed"}}
        if run.filter.get("weigh_by")
        else {}
    )
    return {
        "format": run.format,
        "project": run.project.slug,
        "gold_version": version.number,
        "gold_digest": version.digest,
        "gold_predecessors": version.previous_digests,
        "erasure_epoch": run.project.erasure_epoch,
        "filter": run.filter,
        **weights,
        **({"has_tools": True} if has_tools(version) else {}),
        "rows": sum(file["rows"] for file in files if file["name"] != "provenance.jsonl"),
        "rows_by_split": dict(sorted(splits.items())),
        "cases": case_count,
        "cases_in_version": version.example_count,
        "left_out": dict(sorted(left_out.items())),
        "label_schemas": [f"{name} v{number}" for name, number in schemas],
        "redaction": redaction.VERSION,
        "splitter": SPLITTER,
        "agreement": round(agreement, 4) if agreement is not None else None,
        "licence": LICENCE,
        "files": files,
    }


def digest_of_rows(files: list[dict]) -> str:
    """The SHA-256 of the file of rows; of several, that of their digests and names as `sha256sum` prints them."""
    if len(files) == 1:
        return files[0]["sha256"]
    lines = "".join(f"{file['sha256']}  {file['name']}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()
