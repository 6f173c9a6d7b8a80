"""The settings of how reporters are told: when, how fast, by which words; the product's webhook; a test to oneself."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from feedbackhub.accounts.access import project_page
from triage import letters, notice_words, notices
from triage.channels import webhook
from triage.models import NoticeTemplate
from triage.telling_forms import PolicyForm, TemplateForm


@project_page("release_notices")
@sensitive_variables("secret")
def settings_reporters(request):
    policy = notices.policy_of(request.project)
    form = PolicyForm(request.POST or None, instance=policy)
    secret = ""
    if request.method == "POST" and form.is_valid():
        had_url = "webhook_url" not in form.changed_data
        policy = form.save(commit=False)
        if not had_url:
            policy.webhook_disabled = ""
        policy.save()
        if policy.webhook_url and not policy.webhook_secrets:
            secret = webhook.rotate_secret(policy)
        messages.success(request, _("Saved."))
        if not secret:
            return redirect("settings_reporters", request.project.slug)
    return _page(request, form=form, secret=secret, status=400 if form.errors else 200)


def _page(request, *, form, secret="", status=200):
    return render(
        request,
        "triage/settings_reporters.html",
        {
            "form": form,
            "policy": form.instance,
            "secret": secret,
            "templates": NoticeTemplate.objects.filter(project=request.project).order_by(
                "language"
            ),
        },
        status=status,
    )


@project_page("release_notices")
@require_POST
@sensitive_variables("secret")
def rotate_webhook_secret(request):
    """A new secret, shown this once; the last one goes on signing beside it."""
    policy = notices.policy_of(request.project)
    secret = webhook.rotate_secret(policy)
    return _page(request, form=PolicyForm(instance=policy), secret=secret)


# --- words ----------------------------------------------------------------------------------------


@project_page("release_notices")
def notice_template(request, language=""):
    """The words in one language; `preview` draws the mail, `test` sends it to oneself; neither keeps anything."""
    template = None
    if language:
        template = get_object_or_404(NoticeTemplate, project=request.project, language=language)
    form = TemplateForm(request.POST or None, initial=_initial(template))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if "test" in request.POST:
            _send_test(request, *_filled(request, given))
            messages.success(request, _("A test is on its way to %s.") % request.user.email)
        elif "preview" not in request.POST:
            notice_words.save_template(project=request.project, by=request.user, **given)
            messages.success(request, _("Saved."))
            return redirect("settings_reporters", request.project.slug)
    mail = _filled(request, form.cleaned_data) if form.is_bound and form.is_valid() else None
    return render(
        request,
        "triage/notice_template.html",
        {
            "form": form,
            "template": template,
            "names": notice_words.NAMES.items(),
            "mail": mail and {"subject": mail[0], "body": mail[1]},
        },
        status=400 if form.errors else 200,
    )


def _initial(template) -> dict:
    if template:
        return {
            "language": template.language,
            "subject": template.subject,
            "body": template.body,
        }
    with translation.override(settings.LANGUAGE_CODE):
        context = {
            "project": {"name": "{project}"},
            "what_changed": "{what_changed}",
            "complaints": [],
            "page": "{page}",
            "unsubscribe": "{unsubscribe}",
        }
        body = render_to_string("triage/mail/fix.txt", context).strip()
        subject = render_to_string("triage/mail/fix_subject.txt", context)
    return {
        "subject": " ".join(subject.split()),
        "body": body.replace("\n\n\n", "\n{reports}\n\n"),
    }


def _filled(request, given) -> tuple[str, str]:
    return notice_words.words(
        project=request.project,
        locale=given["language"],
        fixes=[_Sample],
        complaints=[],
        page=str(_("(their own link)")),
        unsubscribe=str(_("(their own link)")),
        template=NoticeTemplate(subject=given["subject"], body=given["body"]),
    )


class _Sample:
    summary = "…"


def _send_test(request, subject, body):
    letters.write(
        project=request.project,
        users=[request.user],
        kind="test",
        key=timezone.now().isoformat(),
        subject=_("Test: %s") % subject,
        body=body,
    )


@project_page("release_notices")
@require_POST
def delete_template(request, language):
    get_object_or_404(NoticeTemplate, project=request.project, language=language).delete()
    messages.success(request, _("Removed. Those reporters are told in our own words."))
    return redirect("settings_reporters", request.project.slug)
