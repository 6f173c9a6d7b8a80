"""Gold and its versions for programs."""

from typing import Any

from django.db.models import F, FilteredRelation, Q
from rest_framework.response import Response

from annotation import gold
from annotation.api_shapes import (
    FreezeBody,
    GoldShape,
    GoldVersionShape,
)
from annotation.lineage import lineage
from annotation.models import GoldExample, GoldRevision, GoldVersion, Split
from annotation.refusals import InvalidAnswer
from feedbackhub import filters
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import conflict, invalid, not_found
from feedbackhub.api.views import ProjectAPIView


def _number(word: str) -> int:
    if not word.isdecimal() or not 0 < int(word) < 2**31:
        raise ValueError("The number of a gold version.")
    return int(word)


def _versions(project, number) -> list[int]:
    """The key of the version with this number, if there is one."""
    return list(
        GoldVersion.objects.filter(project=project, number=number).values_list("pk", flat=True)
    )


class GoldView(ProjectListView):
    """Approved examples, newest first; `version` reads them as that version froze them, without those whose split became
    stricter since, as the gate and training files do: what is held out today leaves under no other name.

    The holdout comes only with `?split=holdout`, and without its answers: those leave by an export, which is counted.
    """

    scopes = {"GET": "export"}
    row = GoldShape
    filters = {
        "split": filters.one_of("split", Split.values),
        "verdict": filters.text("labels__verdict"),
        "approved_since": filters.since("approved_at"),
        "version": filters.Filter(_number, lambda _numbers: Q()),
    }

    def rows(self):
        found = GoldRevision.objects.filter(project=self.project, erased_at=None)
        number = self.request.query_params.get("version")
        if number:
            frozen = Q(memberships__version__in=_versions(self.project, int(number)))
            found = found.annotate(frozen=FilteredRelation("memberships", condition=frozen))
            found = found.filter(frozen__isnull=False, example__split=F("frozen__split"))
            found = found.annotate(split=F("frozen__split"))
        else:
            found = found.filter(is_current=True, example__retired_at=None)
            found = found.annotate(split=F("example__split"))
        if "split" not in self.request.query_params:
            found = found.exclude(split=Split.HOLDOUT)
        return found.select_related("example__interaction")

    def show(self, row):
        is_held_out = Split.HOLDOUT in (row.split, row.example.split)
        return {
            "id": row.example.public_id,
            "revision": row.revision,
            "split": row.split,
            "is_contaminated": row.example.is_contaminated,
            "interaction_id": row.example.interaction.external_id,
            "messages": row.messages,
            "tools": row.tools,
            "ideal_answer": None if is_held_out else row.ideal_answer,
            "rejected_answers": [] if is_held_out else row.rejected_answers,
            "labels": row.labels,
            "content_hash": row.content_hash,
            "approved_at": row.approved_at,
        }


class LineageView(ProjectAPIView):
    """Where an example comes from and where it went."""

    scopes = {"GET": "export"}
    gives = {"GET": {200: dict[str, Any]}}

    def get(self, request, public_id):
        example = (
            GoldExample.objects.filter(project=self.project, public_id=public_id, erased_at=None)
            .select_related("interaction__prompt_version")
            .first()
        )
        if example is None:
            raise not_found()
        return Response(lineage(example))


class GoldVersionsView(ProjectListView):
    """Frozen versions, newest first; POST freezes the next one."""

    scopes = {"GET": "export", "POST": "export"}
    takes = {"POST": FreezeBody}
    gives = {"POST": {201: GoldVersionShape}}
    row = GoldVersionShape
    order = ("-number",)

    def rows(self):
        return GoldVersion.objects.filter(project=self.project)

    def show(self, row):
        return _version(row)

    def post(self, request):
        given = read_object(request.data, {"description": str, "tags": list})
        tags = given.get("tags", [])
        if not all(isinstance(tag, str) and 0 < len(tag) <= 80 for tag in tags) or len(tags) > 20:
            raise invalid([{"field": "tags", "message": "At most 20 texts of 1 to 80 characters."}])
        try:
            version = gold.freeze_gold_version(
                project=self.project, description=given.get("description", "")[:2_000], tags=tags
            )
        except gold.NothingToFreeze as error:
            raise conflict(str(error)) from None
        except InvalidAnswer as refusal:
            raise invalid(
                [{"field": name, "message": words} for name, words in refusal.errors.items()]
            ) from None
        return Response(_version(version), status=201)


def _version(row) -> dict:
    return {
        "number": row.number,
        "digest": row.digest,
        "previous_digests": row.previous_digests,
        "erasure_epoch": row.erasure_epoch,
        "examples": row.example_count,
        "description": row.description,
        "tags": row.tags,
        "created_at": row.created_at,
    }


def read_object(given, fields: dict[str, type | None]) -> dict:
    """A JSON object with nothing but these fields, each of its type; None where the caller looks."""
    if not isinstance(given, dict):
        raise invalid([{"field": "", "message": "Send a JSON object."}])
    errors = [
        {"field": name[:80], "message": f"There is no such field. Known: {', '.join(fields)}."}
        for name in given
        if name not in fields
    ]
    kinds = {str: "text", int: "a whole number", list: "a list"}
    for name, kind in fields.items():
        value = given.get(name)
        if kind and name in given and (not isinstance(value, kind) or isinstance(value, bool)):
            errors.append({"field": name, "message": f"Send {kinds[kind]}."})
    if isinstance(given.get("version"), int) and not 0 < given["version"] < 2**31:
        errors.append({"field": "version", "message": "There is no such gold version."})
    if errors:
        raise invalid(errors)
    return given
