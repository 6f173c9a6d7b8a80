"""Judgements that people gave elsewhere, from programs."""

from rest_framework.response import Response

from annotation.api_shapes import JudgementBody, JudgementsShape, KeptJudgementShape
from annotation.judged_elsewhere import import_judgements
from feedbackhub.api import bodies
from feedbackhub.api.bodies import NDJSON
from feedbackhub.api.problems import Problem, invalid
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture.ingest import Status


class JudgementsView(ProjectAPIView):
    """Keep one judgement or many as annotations of the people who gave them; the same again changes nothing.

    Send all judgements of one answer together: it is settled when they are in. They settle, dispute and escalate like
    those given here, so this needs the scope `admin`.
    """

    scopes = {"POST": "admin"}
    takes = {"POST": {"application/json": JudgementBody | list[JudgementBody], NDJSON: str}}
    gives = {"POST": {201: KeptJudgementShape, 200: KeptJudgementShape | JudgementsShape}}

    def post(self, request):
        submission = bodies.read_submission(request._request)
        outcomes = import_judgements(project=self.project, rows=submission.rows)
        if submission.is_batch:
            return Response(
                {
                    "accepted": sum(each.status == Status.ACCEPTED for each in outcomes),
                    "duplicates": sum(each.status == Status.DUPLICATE for each in outcomes),
                    "rejected": [
                        {"index": each.index, "errors": each.errors}
                        for each in outcomes
                        if not each.is_stored
                    ],
                }
            )
        (outcome,) = outcomes
        if outcome.status == Status.INVALID:
            raise invalid(outcome.errors)
        if not outcome.is_stored:
            raise Problem(409, outcome.errors[0]["message"], errors=outcome.errors)
        status = 201 if outcome.status == Status.ACCEPTED else 200
        return Response({"status": outcome.status}, status=status)
