"""The people as leads see them, and each person's own figures; a lead pauses somebody in a queue and lets them go on.

Everybody sees their own; who sees everyone's figures sees all; to others a person's page is not there.
"""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from annotation import people, people_files
from annotation.csv_answers import csv_answer
from annotation.models import Assignment, ReviewQueue
from annotation.pausing import pause_expert, resume_expert
from annotation.refusals import Refusal
from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.models import Membership, User
from feedbackhub.list_pages import choice, list_page
from feedbackhub.parts.templatetags.parts import duration

USUAL = "30"  # days
AT_ONCE = 30
FIVE_MINUTES = 300


@project_page("see_everyones_figures")
@require_GET
def people_page(request):
    """One row for each expert, over a period."""
    period = _period(request)
    listed = list_page(
        request,
        people.who_judges(request.project, period.since),
        order=("name", "pk"),
        others=("days",),
        chips=[_period_chip(request)],
        limit=AT_ONCE,
    )
    figures = people.figures_of(listed.rows, project=request.project, period=period)
    context = {
        "list": listed,
        "rows": [{"figures": each, "said": _said(each)} for each in figures],
        "days": period.days,
    }
    return render(request, "annotation/people.html", context, status=listed.status)


@project_page("see_everyones_figures")
@require_GET
def people_file(request):
    """All of it as CSV."""
    period = _period(request)
    judges = list(people.who_judges(request.project, period.since))
    figures = people.figures_of(judges, project=request.project, period=period)
    name = f"{request.project.slug}-people-{period.days}-days"
    return csv_answer(name, people_files.COLUMNS, people_files.rows(figures))


@project_page("see_own_work")
@require_GET
def my_figures(request):
    return _person(request, request.user)


@project_page("see_own_work", "see_everyones_figures")
@require_GET
def person(request, public_id):
    return _person(request, _find(request, public_id))


@project_page("see_own_work", "see_everyones_figures")
@require_GET
def person_file(request, public_id):
    found, period = _find(request, public_id), _period(request)
    figures = people.figures_of([found], project=request.project, period=period)
    name = f"{request.project.slug}-figures-{period.days}-days"
    return csv_answer(name, people_files.COLUMNS, people_files.rows(figures))


# --- a lead's word --------------------------------------------------------------------------------


class PauseForm(forms.Form):
    """Which queue, and why: the expert reads it. `back` says which page it was said on."""

    queue = forms.UUIDField()
    reason = forms.CharField(max_length=500, required=False)
    back = forms.ChoiceField(choices=[("queue", ""), ("person", "")], required=False)


@project_page("change_queues")
@require_POST
def pause(request, public_id):
    def act(queue, user, reason):
        pause_expert(queue=queue, user=user, by=request.user, reason=reason)
        return _("%(name)s gets no items of %(queue)s for now, and reads why.")

    return _change(request, public_id, act)


@project_page("change_queues")
@require_POST
def let_go_on(request, public_id):
    def act(queue, user, _reason):
        resume_expert(queue=queue, user=user)
        return _("%(name)s gets items of %(queue)s again.")

    return _change(request, public_id, act)


def _change(request, public_id, act):
    user, form = _find(request, public_id), PauseForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, " ".join(each for errors in form.errors.values() for each in errors)
        )
        return redirect("person", request.project.slug, user.public_id)
    queue = get_object_or_404(
        ReviewQueue, project=request.project, public_id=form.cleaned_data["queue"]
    )
    try:
        said = act(queue, user, form.cleaned_data["reason"])
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said % {"name": user, "queue": queue})
    if form.cleaned_data["back"] == "queue":
        return redirect("settings_queue", request.project.slug, queue.public_id)
    return redirect("person", request.project.slug, user.public_id)


# --- steps ----------------------------------------------------------------------------------------


def _find(request, public_id) -> User:
    """Oneself, or for a lead whoever judges or judged here."""
    if public_id == request.user.public_id:
        return request.user
    if not request.membership.may("see_everyones_figures"):
        raise Http404
    here = Membership.objects.filter(project=request.project).values("user")
    user = User.objects.filter(public_id=public_id, pk__in=here).first()
    return user or get_object_or_404(people.who_judges(request.project), public_id=public_id)


def _period(request) -> people.Period:
    days = people.DAYS.get(request.GET.get("days") or USUAL)
    if days is None:
        raise Http404
    return people.Period.of(request.user, days)


def _period_chip(request) -> dict:
    words = [(days, _("last %(days)s days") % {"days": days}) for days in people.DAYS]
    return choice(request.GET, "days", _("Period"), words)


def _person(request, user):
    period = _period(request)
    (figures,) = people.figures_of([user], project=request.project, period=period)
    context = {
        "who": user,
        "figures": figures,
        "is_me": user == request.user,
        "queues": _queues_of(request, figures),
        "said": _said(figures),
        "chart": [{"label": _("judged"), "points": _points(figures)}],
        "by_week": period.days > people.BY_DAY,
        "days": period.days,
        "filter": _period_chip(request),
    }
    return render(request, "annotation/person.html", context)


def _queues_of(request, figures) -> list[dict]:
    """The queues that somebody judges in, with their score and pause there; oneself sees those with something to say."""
    member = Membership.objects.filter(project=request.project, user=figures.user).first()
    scores = {score.queue.pk: score for score in figures.scores}
    pauses = {pause.queue_id: pause for pause in figures.pauses}
    judges = member is not None and member.may("judge")
    here = list(ReviewQueue.objects.of_member(member).order_by("name", "pk")) if judges else []
    known = {queue.pk for queue in here}
    may_pause = request.membership.may("change_queues")
    left = [score.queue for score in figures.scores if score.queue.pk not in known]
    return [
        {
            "queue": queue,
            "score": scores.get(queue.pk),
            "pause": pauses.get(queue.pk),
            "judges": queue.pk in known,
        }
        for queue in [*here, *left]
        if may_pause or queue.pk in scores or queue.pk in pauses
    ]


def _said(figures) -> dict:
    """What the page says in words: why things were passed on, and the trend for those who hear it."""
    reasons = dict(Assignment.SkipReason.choices)
    return {
        "skips": [
            {"label": _(reasons.get(reason, reason)), "value": count}
            for reason, count in figures.skips.items()
        ],
        "trend": [count for _day, count in figures.trend],
        "time": _time(figures.median_seconds),
    }


def _time(seconds: float | None) -> str:
    """To the second while that makes a difference."""
    if seconds is None:
        return "–"
    return duration(seconds) if seconds >= FIVE_MINUTES else _("%(n)d s") % {"n": seconds}


def _points(figures) -> list[dict]:
    return [{"label": f"{day:%d %b}", "value": count} for day, count in figures.trend]
