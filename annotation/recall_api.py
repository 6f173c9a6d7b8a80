"""Recall for programs: a product asks before it answers."""

from rest_framework.response import Response

from annotation import recall
from annotation.api_shapes import RecallBody, RecallShape
from feedbackhub.api.problems import Problem, invalid
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture import vectors
from feedbackhub.outbound import OutboundError

MOST = 20
LONGEST_INPUT = 262_144


class RecallView(ProjectAPIView):
    """The settled cases nearest to an input, with their corrections, and a block ready for context injection.

    `{"input", "limit"}`. `known` is `known` (somebody asked the same), `something alike` or `nothing known`, then without
    cases. Never anything of the holdout.
    """

    scopes = {"POST": "review"}
    takes = {"POST": RecallBody}
    gives = {"POST": {200: RecallShape}}

    def post(self, request):
        text, limit = _read(request.data)
        try:
            found = recall.recall(project=self.project, text=text, limit=limit)
        except OutboundError:
            raise Problem(503, "The embeddings service does not answer.", retry_after=30) from None
        return Response(
            {
                "known": found.known,
                "confidence": found.confidence,
                "cases": [_shown(case) for case in found.cases],
                "block": recall.block(found),
            }
        )


def _shown(case):
    settlement = case.settlement
    return {
        "interaction_id": case.interaction.external_id,
        "settlement_id": settlement.public_id,
        "alike": case.alike,
        "input": vectors.question(case.interaction),
        "output": case.interaction.output,
        "verdict": settlement.verdict,
        "severity": settlement.severity,
        "categories": settlement.categories,
        "correction": settlement.chosen_answer.text if settlement.chosen_answer else None,
        "settled_at": settlement.created_at,
    }


def _read(body) -> tuple[str, int]:
    if not isinstance(body, dict):
        raise invalid([{"field": "", "message": "Send one JSON object."}])
    errors = [
        {"field": name, "message": "There is no such field."}
        for name in body
        if name not in ("input", "limit")
    ]
    text, limit = body.get("input"), body.get("limit", 5)
    if not isinstance(text, str) or not text.strip():
        errors.append({"field": "input", "message": "Send the user's words."})
    elif len(text) > LONGEST_INPUT:
        errors.append({"field": "input", "message": f"At most {LONGEST_INPUT:,} characters."})
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        errors.append({"field": "limit", "message": f"A whole number from 1 to {MOST}."})
    if errors:
        raise invalid(errors)
    return text, limit
