"""Coverage: gold beside complaints, and a button that turns a gap into a review batch."""

from django.conf.locale import LANG_INFO
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation import coverage
from annotation.models import ReviewQueue
from annotation.schema_history import ProjectCategories
from feedbackhub.accounts.access import project_page

TITLES = {
    "category": gettext_lazy("By category"),
    "feature": gettext_lazy("By feature"),
    "model": gettext_lazy("By model"),
    "language": gettext_lazy("By language"),
    "severity": gettext_lazy("By severity"),
}


@project_page("browse_gold", post="flag_interaction")
def gold_coverage(request):
    categories = ProjectCategories(request.project)
    schema = categories.own
    queues = ReviewQueue.objects.for_project(request.project).filter(is_open=True).order_by("name")
    if request.method == "POST":
        return _review(request, schema, queues)
    parts = coverage.coverage(request.project, schema)
    return render(
        request,
        "annotation/gold_coverage.html",
        {
            "parts": [(part, TITLES[part], rows) for part, rows in parts.items() if rows],
            "names": categories.names,
            "languages": {code: about.get("name") for code, about in LANG_INFO.items()},
            "queues": list(queues),
            "days": coverage.DAYS,
        },
    )


def _review(request, schema, queues):
    part, key, slug = (request.POST.get(name, "") for name in ("part", "key", "queue"))
    if part not in coverage.PARTS or not key or len(key) > 200 or "\x00" in key + slug:
        raise Http404
    queue = queues.filter(slug=slug).first()
    if queue is None:
        raise Http404
    items = coverage.review_gap(
        project=request.project, part=part, key=key, queue=queue, by=request.user, schema=schema
    )
    if items:
        messages.success(
            request,
            ngettext(
                "%(number)d answer waits in %(queue)s now.",
                "%(number)d answers wait in %(queue)s now.",
                len(items),
            )
            % {"number": len(items), "queue": queue},
        )
    else:
        messages.info(request, _("Each complaint of this kind is in review or gold already."))
    return redirect("gold_coverage", request.project.slug)
