"""The pages of fixes and of what their reporters are told."""

import re

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from feedbackhub import filters
from feedbackhub.accounts.access import project_page
from feedbackhub.list_pages import choice, list_page
from feedbackhub.page_links import outside_url
from triage import fixing, letters, notice_words, notices, rates, verification
from triage.forms import FixForm, ReasonForm, numbers_in
from triage.models import Fix, Notice, Problem

NEWEST = ("-id",)
CASES_SHOWN = 50
_LINK = re.compile(r"(/r/)[^/\s]+(/)")


# --- fixes ----------------------------------------------------------------------------------------


@project_page("see_problems")
def fixes(request):
    found = list_page(
        request,
        Fix.objects.filter(project=request.project)
        .select_related("recorded_by", "told_by")
        .prefetch_related("problems"),
        order=NEWEST,
        allowed={
            "state": filters.one_of("state", Fix.State.values),
            "carrier": filters.one_of("carrier", Fix.Carrier.values),
        },
        chips=[
            choice(request.GET, "state", _("State"), Fix.State.choices),
            choice(request.GET, "carrier", _("Carried by"), Fix.Carrier.choices),
        ],
    )
    told = _told([fix.pk for fix in found.rows])
    for fix in found.rows:
        fix.told = told.get(fix.pk, 0)
    return render(request, "triage/fixes.html", {"list": found}, status=found.status)


def _told(pks) -> dict[int, int]:
    return dict(
        Notice.objects.filter(fix__in=pks, state=Notice.State.SENT)
        .values_list("fix")
        .annotate(count=Count("pk"))
    )


@project_page("record_fixes")
def record_fix(request):
    """The form. `preview` draws the mail and records nothing, for who has no script."""
    form = FixForm(
        request.POST or None,
        project=request.project,
        initial={"problems": request.GET.get("problems", "")[:500]},
    )

    def record(given):
        fix = fixing.record_fix(project=request.project, by=request.user, **given)
        messages.success(request, _("Recorded."))
        return redirect("fix", request.project.slug, fix.public_id)

    return _form_page(request, form, record)


@project_page("record_fixes")
def confirm_fix(request, public_id):
    """What a ticket says shipped becomes a fix, in the words of this form: as they were seen, or edited."""
    fix = _fix(request, public_id)
    if not fix.to_confirm:
        messages.info(request, _("Somebody has decided on it already."))
        return redirect("fix", request.project.slug, public_id)
    numbers = fix.problems.order_by("number").values_list("number", flat=True)
    form = FixForm(
        request.POST or None, project=request.project, initial=FixForm.initial_of(fix, numbers)
    )

    def confirm(given):
        confirmed = fixing.confirm_fix(fix=fix, by=request.user, **given)
        is_out = confirmed.state == Fix.State.SHIPPED
        messages.success(
            request,
            _("Confirmed. Its reporters are told.") if is_out else _("Confirmed as planned."),
        )
        return redirect("fix", request.project.slug, public_id)

    return _form_page(request, form, confirm, told=fix.told_by)


@project_page("record_fixes")
@require_POST
def decline_fix(request, public_id):
    fix = _fix(request, public_id)
    number = fix.problems.values_list("number", flat=True).first()
    try:
        fixing.decline_fix(fix=fix, by=request.user)
    except fixing.FixRefused as refused:
        messages.error(request, str(refused))
        if Fix.objects.filter(pk=fix.pk).exists():
            return redirect("fix", request.project.slug, public_id)
        return redirect("problem", request.project.slug, number)
    messages.success(request, _("Declined. Nobody is told."))
    return redirect("problem", request.project.slug, number)


def _form_page(request, form, act, told=None):
    """The form of a fix, with the mail beside it; `act` is called with what was given, and answers where to go."""
    if request.method == "POST" and "preview" not in request.POST and form.is_valid():
        try:
            return act(form.given())
        except fixing.FixRefused as refused:
            form.add_error(None, str(refused))
    has_failed = request.method == "POST" and "preview" not in request.POST
    suggested = (
        Problem.objects.for_project(request.project).unsolved().order_by("-priority", "-id")[:12]
    )
    return render(
        request,
        "triage/record_fix.html",
        {"form": form, "suggested": suggested, "mail": _preview(request, form), "told": told},
        status=400 if has_failed else 200,
    )


@project_page("record_fixes")
@require_POST
def preview_mail(request):
    """The mail as it would be, while somebody types."""
    form = FixForm(request.POST, project=request.project)
    return render(request, "triage/_mail_preview.html", {"mail": _preview(request, form)})


def _preview(request, form) -> dict:
    """Its words for one of those who would be told; the links are theirs and made when it is sent."""
    summary = str(form["summary"].value() or "").replace("\0", "")[:4_000]
    given = str(form["problems"].value() or "")
    try:
        numbers = numbers_in(given[:500])
    except ValidationError:
        numbers = []
    found = Problem.objects.filter(project=request.project, number__in=numbers[:50])
    complaints = notices.complaints_about(found).exclude(reporter=None).order_by("-occurred_at")
    subject, body = notice_words.sample(
        project=request.project,
        locale=request.POST.get("language", "")[:35],
        summary=summary,
        complaints=complaints[:1],
    )
    return {
        "subject": subject,
        "body": body.strip(),
        "people": notices.people_to_tell(project=request.project, complaints=complaints),
    }


def _fix(request, public_id) -> Fix:
    return get_object_or_404(
        Fix.objects.select_related("recorded_by", "told_by"),
        project=request.project,
        public_id=public_id,
    )


@project_page("see_problems")
def fix_page(request, public_id):
    return _fix_page(request, _fix(request, public_id))


def _fix_page(request, fix, status=200, **forms):
    fix.project = request.project
    open_cases = verification.open_cases(fix)
    told = dict(fix.notices.values_list("state").annotate(count=Count("pk")))
    return render(
        request,
        "triage/fix.html",
        {
            "fix": fix,
            "problems": fix.problems.order_by("number"),
            "open_cases": open_cases[:CASES_SHOWN],
            "open_count": len(open_cases),
            "replays": fix.replays.select_related("interaction").order_by("-id")[:CASES_SHOWN],
            "changes": rates.changes(fix=fix, now=timezone.now()) if fix.shipped_at else [],
            "thanks": fix.notices.filter(thanked_at__isnull=False).count() if told else 0,
            "told": [(state, told[state]) for state in Notice.State.values if state in told],
            "reason_form": ReasonForm(),
            **forms,
        },
        status=status,
    )


@project_page("change_problems")
@require_POST
def verify_fix(request, public_id):
    """A lead's word that it helps, with the reason."""
    fix, form = _fix(request, public_id), ReasonForm(request.POST)
    if fix.state != Fix.State.SHIPPED:
        messages.error(request, _("Only a shipped fix can be verified."))
    elif not form.is_valid():
        return _fix_page(request, fix, 400, reason_form=form)
    else:
        verification.verify_by_hand(fix=fix, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Verified."))
    return redirect("fix", request.project.slug, public_id)


@project_page("record_fixes")
@require_POST
def ship_fix(request, public_id):
    fix = fixing.ship_fix(fix=_fix(request, public_id))
    if fix.to_confirm:
        messages.error(request, _("A ticket says so: confirm or decline it first."))
    elif fix.state == Fix.State.REVERTED:
        messages.error(request, _("It was taken back and cannot ship. Record a new fix."))
    else:
        messages.success(request, _("Shipped. Its reporters are told."))
    return redirect("fix", request.project.slug, public_id)


@project_page("record_fixes")
@require_POST
def revert_fix(request, public_id):
    fix = fixing.revert_fix(fix=_fix(request, public_id))
    if fix.to_confirm:
        messages.error(request, _("A ticket says so: confirm or decline it first."))
    else:
        messages.success(request, _("Taken back. Its problems are open again."))
    return redirect("fix", request.project.slug, public_id)


@project_page("release_notices")
@require_POST
def hold_notices(request, public_id):
    count = notices.hold_all(fix=_fix(request, public_id))
    messages.success(request, _("%d held until you release them.") % count)
    return redirect("fix", request.project.slug, public_id)


@project_page("release_notices")
@require_POST
def release_notices(request, public_id):
    count = notices.release_all(fix=_fix(request, public_id))
    messages.success(request, _("%d released: they are being sent.") % count)
    return redirect("fix", request.project.slug, public_id)


@project_page("release_notices")
@require_POST
def send_test(request, public_id):
    """The mail of this fix to oneself; its links lead nowhere."""
    fix = _fix(request, public_id)
    subject, body = notice_words.sample(project=request.project, summary=fix.summary)
    letters.write(
        project=request.project,
        users=[request.user],
        kind="test",
        key=timezone.now().isoformat(),
        subject=_("Test: %s") % subject,
        body=body,
    )
    messages.success(request, _("A test is on its way to %s.") % request.user.email)
    return redirect("fix", request.project.slug, public_id)


# --- the outbox -----------------------------------------------------------------------------------


@project_page("release_notices")
def outbox(request):
    found = list_page(
        request,
        Notice.objects.filter(project=request.project).select_related("fix", "reporter"),
        order=NEWEST,
        allowed={
            "state": filters.one_of("state", Notice.State.values),
            "fix": filters.public_id("fix__public_id"),
        },
        chips=[choice(request.GET, "state", _("State"), Notice.State.choices)],
        limit=25,
    )
    shows_only = _shows_mail_only()
    for notice in found.rows:
        notice.to = masked_address(notice.reporter.email)
        notice.link = _reporter_link(notice.body) if shows_only else ""
        notice.shown = notice.body if shows_only else _LINK.sub(r"\1…\2", notice.body)
    return render(
        request,
        "triage/outbox.html",
        {"list": found, "shows_only": shows_only},
        status=found.status,
    )


def _shows_mail_only() -> bool:
    """Whether no mail leaves this machine: it is only shown here."""
    return settings.EMAIL_BACKEND.rpartition(".")[0].rpartition(".")[2] in ("dummy", "console")


def _reporter_link(body: str) -> str:
    """The reporter's own page, for who tries the loop where no mail is sent. The link is theirs alone elsewhere."""
    for word in body.split():
        if word.startswith(f"{settings.BASE_URL}/r/"):
            return outside_url(word)
    return ""


def masked_address(address: str) -> str:
    """`ana@example.com` as `a…@example.com`: to know it again, not to use it."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}…{at}{host}" if at else ""


def _notice(request, public_id) -> Notice:
    return get_object_or_404(Notice, project=request.project, public_id=public_id)


def _act(request, public_id, act, said):
    try:
        act(notice=_notice(request, public_id))
    except notices.NoticeRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("outbox", request.project.slug)


@project_page("release_notices")
@require_POST
def hold_notice(request, public_id):
    return _act(request, public_id, notices.hold_notice, _("Held. It is sent when you release it."))


@project_page("release_notices")
@require_POST
def send_notice(request, public_id):
    """Release a held one, or send a failed or uncertain one again."""
    return _act(request, public_id, notices.retry_notice, _("It is being sent."))


@project_page("release_notices")
@require_POST
def mark_notice_sent(request, public_id):
    return _act(request, public_id, notices.mark_sent, _("Marked as sent."))
