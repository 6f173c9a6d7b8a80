"""What hurts, for programs: `GET /api/v1/problems` and one of them with its cases."""

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from feedbackhub.api.lists import ProjectListView
from feedbackhub.api.problems import not_found
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.filters import one_of, text
from triage import priority, ticket_draft
from triage.links import problem_url
from triage.models import Escalation, Problem
from triage.ticket_state import with_asks_what_shipped

CASES = 200  # of one problem, the worst first


class TicketSerializer(serializers.Serializer):
    """One escalation: the duty, and the ticket once it is there."""

    connection = serializers.CharField(source="connection.name")
    tracker = serializers.CharField(source="connection.tracker")
    escalation = serializers.ChoiceField(Escalation.State.choices, source="state")
    needs_a_person = serializers.BooleanField()
    failure = serializers.CharField()
    key = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    status_name = serializers.SerializerMethodField()

    def _of_ticket(self, escalation, field) -> str:
        ticket = getattr(escalation, "ticket", None)
        return getattr(ticket, field) if ticket else ""

    def get_key(self, escalation) -> str:
        return self._of_ticket(escalation, "key")

    def get_url(self, escalation) -> str:
        return self._of_ticket(escalation, "url")

    def get_state(self, escalation) -> str:
        return self._of_ticket(escalation, "state")

    def get_status_name(self, escalation) -> str:
        return self._of_ticket(escalation, "status_name")


class ProblemSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    number = serializers.IntegerField()
    title = serializers.CharField()
    state = serializers.ChoiceField(Problem.State.choices)
    duplicate_of = serializers.SerializerMethodField()
    severity = serializers.ChoiceField(Severity.choices)
    category = serializers.CharField()
    fixable_by = serializers.ChoiceField(Problem.FixableBy.choices)
    owner = serializers.SerializerMethodField()
    priority = serializers.FloatField()
    reach = serializers.IntegerField()
    member_count = serializers.IntegerField()
    frequency = serializers.FloatField()
    last_seen_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    asks_what_shipped = serializers.BooleanField()
    tickets = TicketSerializer(source="escalations.all", many=True)
    url = serializers.SerializerMethodField()

    def get_duplicate_of(self, problem) -> int | None:
        return problem.duplicate_of.number if problem.duplicate_of else None

    def get_owner(self, problem) -> str | None:
        return str(problem.owner.public_id) if problem.owner else None

    def get_url(self, problem) -> str:
        return problem_url(problem)


class FactorSerializer(serializers.Serializer):
    name = serializers.CharField()
    measured = serializers.CharField()
    formula = serializers.CharField()
    value = serializers.FloatField()


class CaseSerializer(serializers.Serializer):
    interaction_id = serializers.CharField(source="interaction.external_id")
    severity = serializers.ChoiceField(Severity.choices)
    source = serializers.CharField()
    occurred_at = serializers.DateTimeField(source="interaction.occurred_at")
    trace_url = serializers.CharField(source="interaction.trace_url")


class OneProblemSerializer(ProblemSerializer):
    summary = serializers.CharField()
    arithmetic = serializers.SerializerMethodField()
    cases = serializers.SerializerMethodField()

    @extend_schema(responses=FactorSerializer(many=True))
    def get_arithmetic(self, problem) -> list:
        return FactorSerializer(priority.arithmetic(problem), many=True).data

    def get_cases(self, problem) -> list:
        return CaseSerializer(ticket_draft.cases(problem)[:CASES], many=True).data


class ProblemPageSerializer(serializers.Serializer):
    results = ProblemSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    previous_cursor = serializers.CharField(allow_null=True)


def _rows(project):
    escalations = Escalation.objects.select_related("connection", "ticket").order_by("id")
    return (
        with_asks_what_shipped(Problem.objects.for_project(project))
        .select_related("project", "owner", "duplicate_of")
        .prefetch_related(Prefetch("escalations", escalations))
    )


class ProblemsView(ProjectListView):
    """Problems, what hurts most first. A filter may be given several times: any of its values."""

    scopes = {"GET": "triage"}
    filters = {
        "state": one_of("state", Problem.State.values),
        "severity": one_of("severity", Severity.values),
        "fixable_by": one_of("fixable_by", Problem.FixableBy.values),
        "category": text("category"),
    }
    order = ("-priority", "-id")  # the index problem_first

    def rows(self):
        return _rows(self.project)

    def show_all(self, rows):
        return ProblemSerializer(rows, many=True).data

    @extend_schema(
        operation_id="list_problems",
        parameters=[
            *(
                OpenApiParameter(name, enum=each.choices or None, many=True)
                for name, each in filters.items()
            ),
            OpenApiParameter("cursor"),
            OpenApiParameter("limit", int),
        ],
        responses=ProblemPageSerializer,
    )
    def get(self, request):
        return super().get(request)


class ProblemView(ProjectAPIView):
    """One problem: its figures with their arithmetic, its tickets, its cases (the worst 200)."""

    scopes = {"GET": "triage"}

    @extend_schema(operation_id="get_problem", responses=OneProblemSerializer)
    def get(self, request, problem):
        row = _rows(self.project).filter(public_id=problem).first()
        if row is None:
            raise not_found()
        return Response(OneProblemSerializer(row).data)
