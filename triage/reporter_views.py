"""The reporter's page: no account, a signed link; their reports in plain words, and five things they can say."""

from functools import wraps

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from feedbackhub.audit.acting import acting
from feedbackhub.capture.erasure import erase_person
from triage import notice_words, notices, reporting_back, verification
from triage.models import Notice
from triage.reporter_link import find_notice

# What a problem's state means to somebody outside.
STATE_WORDS = {
    "open": _("We are looking into it."),
    "investigating": _("We are looking into it."),
    "fixing": _("We are repairing it."),
    "shipped": _("It is repaired."),
    "verified": _("It is repaired."),
    "regressed": _("It is still wrong. We are at it again."),
    "wont_fix": _("We decided not to change this."),
    "duplicate": _("We are looking into it together with a like report."),
}

# How it was verified: of a lead's word nobody is told that cases were tried again.
VERIFIED_WORDS = {
    "replays": _("It is repaired, and we checked it on the cases that were reported."),
    "lead": _("It is repaired, and one of us has confirmed it."),
}


def words_of(state: str, how: str = "") -> str:
    """How it stands, for a reporter; `how` it was verified is what `verification.how_verified` says."""
    return (VERIFIED_WORDS.get(how) if state == "verified" else None) or STATE_WORDS[state]


def in_their_language(view):
    """The view gets the notice of a valid link, and answers in the reporter's language; without one in the browser's."""

    @wraps(view)
    def answer(request, token, **more):
        notice = find_notice(token)
        if notice is None:
            raise Http404
        locale = notice.reporter.locale
        language = notice_words.language_of(locale) if locale else translation.get_language()
        with translation.override(language):
            return view(request, token, notice=notice, **more)

    return answer


@never_cache
@in_their_language
def reporter_page(request, token, *, notice):
    Notice.objects.filter(pk=notice.pk, opened_page_at=None).update(opened_page_at=timezone.now())
    reports = reporting_back.reports_of(notice)
    how = verification.how_verified([report["problem"].pk for report in reports])
    for report in reports:
        problem = report["problem"]
        report["words"] = words_of(problem.state, how.get(problem.pk, ""))
    return render(
        request,
        "triage/reporter_page.html",
        {"notice": notice, "reports": reports, "token": token, "said": request.GET.get("said", "")},
    )


@require_POST
@in_their_language
def still_wrong(request, token, problem, *, notice):
    found = reporting_back.find_problem(notice=notice, public_id=problem)
    if found is None:
        raise Http404
    with acting(action="reporter_still_wrong"):
        try:
            reporting_back.say_still_wrong(
                notice=notice, problem=found, words=request.POST.get("words", "")
            )
        except type(found).DoesNotExist as error:
            raise Http404 from error
    return redirect(f"{request.path.rsplit('/still-wrong/', 1)[0]}/?said=still_wrong")


@require_POST
@in_their_language
def thanks(request, token, *, notice):
    with acting(action="reporter_thanks"):
        reporting_back.say_thanks(notice=notice)
    return redirect(f"{request.path.removesuffix('thanks/')}?said=thanks")


@csrf_exempt  # mail programs post it by themselves (RFC 8058); the link's signature is the credential
@never_cache
@in_their_language
def unsubscribe(request, token, *, notice):
    if request.method != "POST":
        return render(
            request, "triage/reporter_unsubscribe.html", {"notice": notice, "token": token}
        )
    with acting(action="reporter_unsubscribe"):
        notices.unsubscribe(reporter=notice.reporter)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        return HttpResponse(status=200)
    return render(request, "triage/reporter_done.html", {"done": "unsubscribed"})


@never_cache
@in_their_language
def forget_me(request, token, *, notice):
    if request.method != "POST":
        return render(request, "triage/reporter_forget.html", {"notice": notice, "token": token})
    with acting(action="reporter_forget_me"):
        erase_person(project=notice.project, ref_hash=notice.reporter.ref_hash)
    return render(request, "triage/reporter_done.html", {"done": "forgotten"})
