"""The words of a notice: the project's own for the reporter's language where it has some, else ours.

Plain text only: no pixel, nothing to load. A project's template is text with names in braces, each filled in once and
never read as a template itself; `{page}` and `{unsubscribe}` must stand in it.
"""

import re

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from feedbackhub.capture.vocabulary import FeedbackKind
from triage import notices, reporter_link
from triage.models import NoticeTemplate

# What may stand in braces, and what it becomes.
NAMES = {
    "project": _("the project's name"),
    "what_changed": _("what was repaired, as the fix says it"),
    "reports": _("what this person reported, one line each"),
    "page": _("the link of their own page"),
    "unsubscribe": _("the link that ends all messages"),
}
# What they did to tell us; the house's own words for these stay the house's.
KIND_WORDS = {
    FeedbackKind.THUMBS_DOWN: pgettext_lazy("reporter", "thumbs down"),
    FeedbackKind.RATING: pgettext_lazy("reporter", "rating"),
    FeedbackKind.COMMENT: pgettext_lazy("reporter", "comment"),
    FeedbackKind.REPORT: pgettext_lazy("reporter", "report"),
    FeedbackKind.EDIT: pgettext_lazy("reporter", "edit"),
    FeedbackKind.OVERRIDE: pgettext_lazy("reporter", "override"),
}
NEEDED = ("page", "unsubscribe")
_NAME = re.compile(r"\{([a-z_]+)\}")
_REPORTS = 10


def mail(rows) -> EmailMultiAlternatives:
    """The one mail about one person's notices: several when several fixes are told together."""
    first = rows[0]
    reporter, project = first.reporter, first.fix.project
    links = [_links(notice) for notice in rows]
    subject, body = words(
        project=project,
        locale=reporter.locale,
        fixes=[notice.fix for notice in rows],
        complaints=_complaints(rows),
        page="\n".join(page for page, _unsubscribe in links),
        unsubscribe=links[0][1],
    )
    message = EmailMultiAlternatives(
        subject=subject,
        body=body,
        to=[reporter.email],
        headers={
            "Message-ID": f"<{first.public_id}@{_mail_domain()}>",  # the same on every try
            "List-Unsubscribe": f"<{links[0][1]}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.metadata = {"notice": str(first.public_id)}  # a mail service answers with it
    return message


def words(
    *, project, locale, fixes, complaints, page, unsubscribe, template=None
) -> tuple[str, str]:
    """(subject, body) in the reporter's language, as far as there are words in it."""
    template = template or template_for(project=project, locale=locale)
    what_changed = "\n\n".join(fix.summary for fix in fixes)
    if template:
        filled = {
            "project": project.name,
            "what_changed": what_changed,
            "reports": "\n".join(_report_line(complaint) for complaint in complaints),
            "page": page,
            "unsubscribe": unsubscribe,
        }
        subject, body = _fill(template.subject, filled), _fill(template.body, filled)
    else:
        with translation.override(language_of(locale)):
            context = {
                "project": project,
                "what_changed": what_changed,
                "complaints": complaints,
                "page": page,
                "unsubscribe": unsubscribe,
            }
            subject = render_to_string("triage/mail/fix_subject.txt", context)
            body = render_to_string("triage/mail/fix.txt", context)
    return " ".join(subject.split())[:150], body


def sample(*, project, locale="", summary="", complaints=()) -> tuple[str, str]:
    """The mail as somebody would get it; its links lead nowhere."""
    from triage.models import Fix

    return words(
        project=project,
        locale=locale,
        fixes=[Fix(summary=summary.strip() or str(_("(what changed)")))],
        complaints=complaints,
        page=str(_("(their own link)")),
        unsubscribe=str(_("(their own link)")),
    )


def template_for(*, project, locale: str) -> NoticeTemplate | None:
    """The exact language's words, else the language's without its region: "pt-BR", then "pt"."""
    tag = locale.strip().lower().replace("_", "-") or settings.LANGUAGE_CODE
    found = {
        template.language: template
        for template in NoticeTemplate.objects.filter(
            project=project, language__in={tag, tag.partition("-")[0]}
        )
    }
    return found.get(tag) or found.get(tag.partition("-")[0])


def faults_of(text: str, *, is_body: bool) -> list[str]:
    """What is wrong with a template's text, in sentences."""
    faults = [
        str(_("There is no {%(name)s}. Known: %(known)s."))
        % {"name": name, "known": ", ".join(f"{{{known}}}" for known in NAMES)}
        for name in dict.fromkeys(_NAME.findall(text))
        if name not in NAMES
    ]
    if is_body:
        faults += [
            str(_("{%(name)s} must stand in it: %(what)s.")) % {"name": name, "what": NAMES[name]}
            for name in NEEDED
            if f"{{{name}}}" not in text
        ]
    return faults


def save_template(*, project, language, subject, body, by=None) -> NoticeTemplate:
    template, _is_new = NoticeTemplate.objects.update_or_create(
        project=project,
        language=language.strip().lower(),
        defaults={
            "subject": subject,
            "body": body,
            "changed_by": by,
            "changed_at": timezone.now(),
        },
    )
    return template


def _fill(text, filled) -> str:
    return _NAME.sub(lambda name: filled.get(name[1], name[0]), text)


def _complaints(rows):
    found = {
        complaint.pk: complaint
        for notice in rows
        for complaint in notices.complaints_solved_by(notice.fix)
        .filter(reporter=notice.reporter)
        .order_by("occurred_at", "id")
        .distinct()[:_REPORTS]
    }
    return sorted(found.values(), key=lambda each: (each.occurred_at, each.pk))[:_REPORTS]


def _report_line(complaint) -> str:
    said = " ".join(complaint.comment.split())[:200]
    day = complaint.occurred_at.strftime("%Y-%m-%d")
    return f"- {day}" + (f": “{said}”" if said else "")


def _links(notice) -> tuple[str, str]:
    token = reporter_link.token_for(notice)
    return tuple(
        settings.BASE_URL + reverse(name, args=[token])
        for name in ("reporter_page", "reporter_unsubscribe")
    )


def language_of(locale: str) -> str:
    """Ours for a reporter's locale: "de" for "de_AT"."""
    locale = locale.strip().replace("_", "-")
    known = {code for code, _name in settings.LANGUAGES}
    for code in (locale.lower(), locale.lower().partition("-")[0]):
        if code in known:
            return code
    return settings.LANGUAGE_CODE


def _mail_domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
