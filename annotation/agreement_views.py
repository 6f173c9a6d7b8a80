"""The agreement of experts as a page and a file, and for programs. Who sees everyone's figures sees all; an expert sees what
they judged themselves, with colleagues unnamed.
"""

from datetime import datetime, timedelta

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from annotation.api_shapes import AgreementShape
from annotation.csv_answers import csv_answer
from annotation.models import LabelSchema, ReviewQueue
from annotation.schema_history import ProjectCategories
from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.api.problems import invalid
from feedbackhub.api.views import ProjectAPIView
from feedbackhub.list_pages import choice

LONGEST_NAME = 200  # of a rating
PERIODS = {"30": 30, "90": 90, "365": 365}  # days
FIELDS = {
    "verdict": gettext_lazy("Verdict"),
    "severity": gettext_lazy("Severity"),
    "root_cause": gettext_lazy("Root cause"),
    "categories": gettext_lazy("Categories"),
    "spans": gettext_lazy("Marks"),
}


@project_page("see_everyones_figures", "see_own_work")
@require_GET
def agreement(request):
    """How far the experts agree; `?queue=` and `?days=` narrow it, `?field=` is what pairs and weeks are about."""
    found = _asked(request)
    report, judgements = _report(request, **found)
    people = _names(request, judgements)
    compared = _compared(report, judgements, request.project)
    context = {
        "report": report,
        "fields": _named_fields(report, request.project),
        "pairs": [(people[pair.one], people[pair.other], pair) for pair in report.pairs],
        "weeks": _lines(report),
        "differences": _differences(report, people, request.membership),
        "is_own": not request.membership.may("see_everyones_figures"),
        "filters": [
            choice(request.GET, "queue", _("Queue"), [(q.slug, q.name) for q in _queues(request)]),
            choice(
                request.GET,
                "days",
                _("Period"),
                [(days, _("last %(days)s days") % {"days": days}) for days in PERIODS],
            ),
            choice(request.GET, "field", _("Pairs and weeks"), compared.items()),
        ],
        "field": compared[report.by],
        "query": request.GET.urlencode(),
    }
    return render(request, "annotation/agreement.html", context)


@project_page("see_everyones_figures", "see_own_work")
@require_GET
def agreement_file(request):
    """The same figures as CSV."""
    from annotation.agreement import files

    report, judgements = _report(request, **_asked(request))
    return csv_answer(
        f"{request.project.slug}-agreement",
        files.COLUMNS,
        files.rows(report, _names(request, judgements)),
    )


class AgreementView(ProjectAPIView):
    """Agreement of the project's experts, with intervals and counts; `queue`, `since` and `until` narrow it, `field` says what
    pairs and weeks are about.
    """

    scopes = {"GET": "review"}
    gives = {"GET": {200: AgreementShape}}

    @extend_schema(
        parameters=[
            OpenApiParameter("queue", description="The queue's short name."),
            OpenApiParameter("since", datetime),
            OpenApiParameter("until", datetime),
            OpenApiParameter(
                "field",
                default="verdict",
                description="verdict, severity, root_cause, categories, spans, category.<key>, rubric.<criterion> or rating.<name>",
            ),
        ]
    )
    def get(self, request):
        from annotation.agreement import files
        from annotation.agreement.judgements import shared_judgements
        from annotation.agreement.report import make_report

        times = {"since": filters.since("since"), "until": filters.until("until")}
        given, errors, by = {}, [], "verdict"
        for name in request.query_params:
            word = request.query_params[name]
            if name == "queue":
                given["queue"] = ReviewQueue.objects.filter(project=self.project, slug=word).first()
                if given["queue"] is None:
                    errors.append({"field": "queue", "message": "There is no such queue."})
            elif name in times:
                try:
                    given[name] = times[name].read(word)
                except ValueError as wrong:
                    errors.append({"field": name, "message": str(wrong)})
            elif name == "field":
                by = word
                if not _is_comparable(by, self.project):
                    known = (
                        f"{', '.join(FIELDS)}, category.<key>, rubric.<criterion>, rating.<name>"
                    )
                    errors.append(
                        {"field": name, "message": f"There is no such field. Known: {known}."}
                    )
            else:
                known = "Known: queue, since, until, field."
                errors.append({"field": name[:80], "message": f"There is no such filter. {known}"})
        if errors:
            raise invalid(errors)
        judgements = shared_judgements(project=self.project, **given)
        names = {pk: str(user.public_id) for pk, user in judgements.people.items()}
        return Response(files.as_json(make_report(judgements, by=by), names))


# --- steps ----------------------------------------------------------------------------------------


def _queues(request):
    queues = ReviewQueue.objects.for_project(request.project).order_by("name", "pk")
    if not request.membership.may("see_everyones_figures"):
        queues = queues.filter(pk__in=ReviewQueue.objects.of_member(request.membership))
    return queues


def _asked(request) -> dict:
    slug, days = request.GET.get("queue", ""), request.GET.get("days", "")
    asked = {}
    if slug:
        asked["queue"] = _queues(request).filter(slug=slug).first() if slug.isprintable() else None
        if asked["queue"] is None:
            raise Http404
    if days:
        if days not in PERIODS:
            raise Http404
        asked["since"] = timezone.now() - timedelta(days=PERIODS[days])
    if by := request.GET.get("field", ""):
        asked["by"] = by
    return asked


def _report(request, *, by="verdict", **asked):
    """Imported here: the numbers bring numpy, which no other page needs.

    A category, criterion or rating that nobody gave in this period is compared too: there is nothing to say.
    """
    from annotation.agreement.judgements import shared_judgements
    from annotation.agreement.report import make_report

    of = None if request.membership.may("see_everyones_figures") else request.user
    if not _is_comparable(by, request.project):
        raise Http404
    judgements = shared_judgements(project=request.project, of=of, **asked)
    return make_report(judgements, of=of.pk if of else None, by=by), judgements


def _is_comparable(by: str, project) -> bool:
    """Whether pairs and weeks may be about this: a field, a category or criterion of one of the project's schemas, a rating.

    What was merged counts with what it was merged into, so it is none of its own.
    """
    from annotation.agreement.report import CATEGORY, RATING, RUBRIC

    if by.startswith(CATEGORY):
        categories = ProjectCategories(project)
        return by.removeprefix(CATEGORY) in categories.names.keys() - categories.merged().keys()
    if by.startswith(RUBRIC):
        rubrics = LabelSchema.objects.filter(project=project).values_list("rubric", flat=True)
        return by.removeprefix(RUBRIC) in {each["key"] for rubric in rubrics for each in rubric}
    return by in FIELDS or (by.startswith(RATING) and len(by) <= LONGEST_NAME and by.isprintable())


def _compared(report, judgements, project) -> dict[str, str]:
    """{field: its name} that one may choose between, the present one in any case."""
    from annotation.agreement.report import CATEGORY, fields_to_compare

    names = {CATEGORY + key: name for key, name in ProjectCategories(project).names.items()}
    fields = dict.fromkeys([*fields_to_compare(judgements), report.by])
    return {
        field: FIELDS.get(field) or names.get(field) or field.partition(".")[2] for field in fields
    }


def _names(request, judgements) -> dict[int, str]:
    if request.membership.may("see_everyones_figures"):
        return {pk: str(user) for pk, user in judgements.people.items()}
    others = [pk for pk in sorted(judgements.people) if pk != request.user.pk]
    unnamed = {pk: _("Colleague %(n)d") % {"n": n} for n, pk in enumerate(others, 1)}
    return {**unnamed, request.user.pk: _("You")}


def _named_fields(report, project) -> list[dict]:
    words = ProjectCategories(project).names
    said = {
        "verdict": _("Verdict"),
        "severity": _("Severity"),
        "root_cause": _("Root cause"),
    }
    kinds = {"category": _("Category"), "rubric": _("Criterion"), "rating": _("Rating")}
    return [
        {
            "name": words.get(each.key, each.key)
            if each.kind == "category"
            else said.get(each.key, each.key),
            "kind": kinds.get(each.kind, ""),
            "figures": each,
            "tone": _tone(each.alpha),
        }
        for each in [*report.fields, *report.categories]
    ]


def _tone(figure) -> str:
    from annotation.agreement.report import SOLID, TENTATIVE

    if figure.value is None:
        return "neutral"
    return "good" if figure.value >= SOLID else "caution" if figure.value >= TENTATIVE else "bad"


def _lines(report) -> list[dict]:
    measures = ((_("the same"), "percent"), (_("alpha"), "alpha"))
    if report.by == "spans":
        measures = (
            (_("exactly the same"), "exact_with_label"),
            (_("overlapping"), "overlapping_with_label"),
        )
    return [
        {
            "label": label,
            "points": [_point(week, getattr(week.spans or week, name)) for week in report.weeks],
        }
        for label, name in measures
    ]


def _point(week, figure) -> dict:
    return {
        "label": week.week,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "count": figure.items,
    }


def _differences(report, people, membership) -> list[dict]:
    """An expert sees what others said once the item is settled: until then it might sway a revision."""
    is_lead = membership.may("see_everyones_figures")
    return [
        {
            "item": each.item,
            "said": [
                {"name": people[person], "verdict": said["verdict"], "severity": said["severity"]}
                for person, said in each.item.said.items()
            ],
            "marks_f1": each.marks_f1,
            "is_linked": membership.may("search_interactions"),
        }
        for each in report.differences
        if is_lead or each.item.is_settled
    ]
