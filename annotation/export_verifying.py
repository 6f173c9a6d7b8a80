"""Is an export what it says it is? Its files against its manifest, its rows against the rules, and what happened since.

A folder is enough to check digests, counts and splits. Where the project is known, so is whether the gold version and the
erasure epoch are still those, and whether an example that trains became holdout, or a twin of one, or was forgotten.
"""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO

from annotation.export_files import CHUNK, MANIFEST
from annotation.export_manifest import digest_of_rows
from annotation.exports import FORMATS
from annotation.models import ExportRun, GoldExample, GoldVersion, Split

PROVENANCE = "provenance.jsonl"
BATCH = 1_000
MOST_FAULTS = 50
_TOLD = {
    "format": str,
    "project": str,
    "gold_version": int,
    "gold_digest": str,
    "erasure_epoch": int,
    "filter": dict,
    "rows": int,
    "rows_by_split": dict,
    "left_out": dict,
    "files": list,
}


class NotAnExport(Exception):
    """There is no manifest, or it is none."""


def verify_export(
    *, open_file: Callable[[str], BinaryIO], names: set[str], run: ExportRun | None = None
) -> dict:
    """What was found: `{"is_whole", "faults", …}`. `open_file` opens a file of the folder that holds `names`."""
    return _Verifying(open_file, names, run).verify()


class _Verifying:
    """One export under the glass."""

    def __init__(self, open_file, names, run):
        self.open_file, self.names, self.run = open_file, names, run
        self.faults: list[str] = []

    def verify(self) -> dict:
        manifest = self.manifest = self._read_manifest()
        self.format = FORMATS[manifest["format"]]
        told = {file["name"]: file for file in manifest["files"]}
        self.row_files = [name for name in told if "rows" in told[name] and name != PROVENANCE]
        for name in sorted(self.names - told.keys() - {MANIFEST}):
            self._fault(f"{name} is not in the manifest.")
        for name, file in told.items():
            if name in self.names:
                self._check_file(file)
            else:
                self._fault(f"{name} is missing.")
        self._check_row()
        if PROVENANCE in self.names:
            self._check_provenance()
        is_known = self._check_version()
        return {
            "is_whole": not self.faults,
            "faults": self.faults,
            "format": manifest["format"],
            "gold_version": manifest["gold_version"],
            "files": len(told),
            "rows": manifest["rows"],
            "is_project_known": is_known,
        }

    def _fault(self, sentence: str) -> None:
        if len(self.faults) < MOST_FAULTS and sentence not in self.faults:
            self.faults.append(sentence)

    def _read_manifest(self) -> dict:
        if MANIFEST not in self.names:
            raise NotAnExport(f"There is no {MANIFEST} in it.")
        with self.open_file(MANIFEST) as file:
            try:
                found = json.loads(file.read())
            except ValueError:
                raise NotAnExport(f"{MANIFEST} is no JSON.") from None
        if not isinstance(found, dict) or not all(
            isinstance(found.get(name), kind) for name, kind in _TOLD.items()
        ):
            raise NotAnExport(f"{MANIFEST} lacks one of: {', '.join(_TOLD)}.")
        if found["format"] not in FORMATS:
            raise NotAnExport("There is no such format here.")
        for file in found["files"]:
            if not isinstance(file, dict) or not _is_told(file):
                raise NotAnExport("A file of the manifest has no name, size or digest.")
        if self.run and found != self.run.manifest:
            self._fault("The manifest is not the one that the run keeps.")
        return found

    def _check_file(self, told) -> None:
        name, sha, size = told["name"], hashlib.sha256(), 0
        with self.open_file(name) as file:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
                size += len(chunk)
        if (size, sha.hexdigest()) != (told["bytes"], told["sha256"]):
            self._fault(f"{name} is not the file of the manifest: its digest differs.")
        if "rows" in told and self._count_rows(name) != told["rows"]:
            self._fault(f"{name} does not have the {told['rows']} rows that the manifest says.")

    def _count_rows(self, name) -> int:
        with self.open_file(name) as file:
            if name.endswith(".csv"):
                return _count_records(file) - 1
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))

    def _check_row(self) -> None:
        """What the manifest says of the whole; and the run's own row, where there is one."""
        rows = [file for file in self.manifest["files"] if file["name"] in self.row_files]
        if sum(file["rows"] for file in rows) != self.manifest["rows"]:
            self._fault("The rows of the files are not as many as the manifest says.")
        run = self.run
        if run and (digest_of_rows(rows), self.manifest["rows"]) != (run.digest, run.row_count):
            self._fault("Digest or rows are not what the run says.")

    def _check_provenance(self) -> None:
        splits, files, batch = Counter(), Counter(), []
        with self.open_file(PROVENANCE) as notes:
            for line in notes:
                try:
                    note = json.loads(line)
                    splits[note["split"]] += 1
                    files[note["file"]] += 1
                    batch.append(uuid.UUID(note["example"]))
                except (ValueError, KeyError, TypeError, AttributeError):
                    self._fault(f"{PROVENANCE} has a line that says nothing.")
                if len(batch) == BATCH:
                    self._check_examples(batch)
                    batch = []
        self._check_examples(batch)
        for split in splits.keys() - set(self.format.splits):
            self._fault(f"{split} is in a format that trains.")
        if dict(splits) != self.manifest["rows_by_split"]:
            self._fault("Provenance and manifest differ in how many rows each split has.")
        told = {file["name"]: file["rows"] for file in self.manifest["files"] if "rows" in file}
        if files != Counter({name: told[name] for name in self.row_files}):
            self._fault("Provenance and manifest differ in how many rows each file has.")

    def _check_examples(self, public_ids) -> None:
        """What became of the examples since: none that trains may be holdout now, or a twin of one, or forgotten."""
        project = self.manifest["project"]
        found = GoldExample.objects.filter(project__slug=project, public_id__in=set(public_ids))
        if found.filter(erased_at__isnull=False).exists():
            self._fault("It holds somebody who was forgotten since. Take the export made again.")
        if not self.format.is_training:
            return
        if found.filter(split=Split.HOLDOUT).exists():
            self._fault("It holds an example that is holdout now.")
        groups = found.values("interaction__signature__group")
        holdout = GoldExample.objects.filter(project__slug=project, split=Split.HOLDOUT)
        if holdout.filter(interaction__signature__group__in=groups).exists():
            self._fault("It holds a near-duplicate of a holdout example.")

    def _check_version(self) -> bool:
        """Whether the gold is still what it was; answers whether it is known here."""
        version = (
            GoldVersion.objects.select_related("project")
            .filter(project__slug=self.manifest["project"], number=self.manifest["gold_version"])
            .first()
        )
        if version is None:
            return False
        if version.digest != self.manifest["gold_digest"]:
            before = {each["digest"] for each in version.previous_digests}
            self._fault(
                "Somebody was erased from this gold version since. Take the export made again."
                if self.manifest["gold_digest"] in before
                else "The gold version has another digest."
            )
        return True


def _is_told(file: dict) -> bool:
    """Whether a file of the manifest has a name, a size and a digest, and how many rows where it has some."""
    return all(
        isinstance(file.get(name, absent), kind)
        for name, kind, absent in (
            ("name", str, None),
            ("bytes", int, None),
            ("sha256", str, None),
            ("rows", int, 0),
        )
    )


def _count_records(file) -> int:
    """Lines of a CSV whose texts are quoted, as ours are: one inside a text ends no record. No text is too long for it."""
    count, is_inside = 0, False
    for line in file:
        is_inside ^= line.count(b'"') % 2 == 1
        count += not is_inside
    return count
