"""Two answers to one input: bring the other one in, read what was preferred."""

from rest_framework.response import Response

from annotation import comparing
from annotation.api_shapes import CompareBody, ComparisonShape
from annotation.models import Comparison, ReviewItem, ReviewQueue
from feedbackhub import filters
from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import invalid, not_found
from feedbackhub.capture.models import Interaction

LONGEST = {"interaction_id": 200, "output": comparing.LONGEST, "queue": 50, "label": 200}
REQUIRED = ("interaction_id", "output")


class ComparisonsView(ProjectListView):
    """Newest first, with how many preferred what. POST puts another answer beside the one that was given: 201, or 200
    when this text is compared in that queue already.
    """

    scopes = {"GET": "review", "POST": "review"}
    takes = {"POST": CompareBody}
    gives = {"POST": {201: ComparisonShape, 200: ComparisonShape}}
    row = ComparisonShape
    filters = {
        "state": filters.one_of("item__state", ReviewItem.State.values),
        "queue": filters.text("item__queue__slug"),
        "interaction_id": filters.text("item__interaction__external_id"),
        "label": filters.text("label"),
        "created_since": filters.since("created_at"),
    }

    def rows(self):
        return (
            Comparison.objects.filter(project=self.project)
            .select_related("item__queue", "item__interaction")
            .prefetch_related(comparing.current_preferences())
        )

    def show(self, row):
        return {
            "id": row.public_id,
            "item_id": row.item.public_id,
            "interaction_id": row.item.interaction.external_id,
            "queue": row.item.queue.slug,
            "label": row.label,
            "state": row.item.state,
            "overlap": row.item.overlap,
            "preferred": comparing.counts_of(row),
            "winner": comparing.winner_of(row),
            "created_at": row.created_at,
        }

    def post(self, request):
        given = _read(request.data)
        interaction = (
            Interaction.objects.kept()
            .for_project(self.project)
            .filter(external_id=given["interaction_id"])
            .first()
        )
        if interaction is None:
            raise not_found()
        queues = ReviewQueue.objects.for_project(self.project).select_related("project")
        named = {"slug": given["queue"]} if "queue" in given else {"is_open": True}
        queue = queues.filter(**named).order_by("pk").first()
        if queue is None:
            raise invalid([{"field": "queue", "message": "There is no such queue."}])
        item = comparing.compare_answers(
            interaction=interaction,
            text=given["output"],
            queue=queue,
            label=given.get("label", ""),
        )
        if item is None:
            same = "This is the answer that was given: there is nothing to compare."
            raise invalid([{"field": "output", "message": same}])
        made = self.rows().get(item=item)
        return Response(self.show(made), status=201 if item.is_new else 200)


def _read(given) -> dict:
    """A JSON object with nothing but the known fields, each a text of its size."""
    if not isinstance(given, dict):
        raise invalid([{"field": "", "message": "Send a JSON object."}])
    known = ", ".join(LONGEST)
    errors = [
        {"field": name[:80], "message": f"There is no such field. Known: {known}."}
        for name in given
        if name not in LONGEST
    ]
    for name, longest in LONGEST.items():
        value = given.get(name)
        if name in given and not isinstance(value, str):
            errors.append({"field": name, "message": "Send text."})
        elif isinstance(value, str) and len(value) > longest:
            errors.append({"field": name, "message": f"At most {longest} characters."})
        elif name in REQUIRED and not (value or "").strip():
            errors.append({"field": name, "message": "This is needed."})
    if errors:
        raise invalid(errors)
    return given
