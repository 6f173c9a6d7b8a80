"""Reporters read our own words in their language; the catalogue that is shipped is the one that was written."""

import gettext
import re
from pathlib import Path

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import translation

from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    ProblemFactory,
    ProblemMemberFactory,
    ReporterFactory,
)
from triage import fixing, notice_delivery, notices
from triage.models import Notice
from triage.reporter_link import token_for
from triage.reporter_views import STATE_WORDS, VERIFIED_WORDS

ROOT = Path(__file__).resolve().parents[2]
GERMAN = ROOT / "locale/de/LC_MESSAGES"


@pytest.fixture
def told(project):
    problem = ProblemFactory(project=project)
    interaction = InteractionFactory(project=project)
    ProblemMemberFactory(problem=problem, interaction=interaction)
    FeedbackEventFactory(
        interaction=interaction, reporter=ReporterFactory(project=project, locale="de_AT")
    )
    fix = fixing.record_fix(project=project, summary="Die Sätze.", problems_fixed=[problem])
    notices.prepare_notices(fix=fix)
    return Notice.objects.select_related("reporter").get()


def test_a_german_reporter_gets_a_german_mail(told):
    notice_delivery.deliver_notice(notice_id=told.pk)
    (message,) = mail.outbox
    assert message.subject == "Tax help: Was Sie gemeldet haben, ist behoben"
    assert message.body.startswith("Guten Tag,\n\nSie haben uns gesagt, dass eine Antwort von Tax")
    assert ": Daumen runter" in message.body


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("reporter_page", "Der Fehler ist behoben."),
        ("reporter_unsubscribe", "Keine Nachrichten mehr"),
        ("reporter_forget_me", "Vergessen Sie mich"),
    ],
)
def test_and_a_german_page_whatever_the_browser_speaks(client, told, name, says):
    answer = client.get(reverse(name, args=[token_for(told)]), headers={"accept-language": "en-GB"})
    text = answer.content.decode()
    assert says in text and '<html lang="de"' in text
    assert translation.get_language() != "de"


def test_who_named_no_language_reads_the_browsers(client, told):
    type(told.reporter).objects.update(locale="")
    answer = client.get(
        reverse("reporter_page", args=[token_for(told)]), headers={"accept-language": "de"}
    )
    assert "Der Fehler ist behoben." in answer.content.decode()


def test_the_compiled_catalogue_says_what_the_written_one_says():
    written = (GERMAN / "django.po").read_text()
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for context, said, german in re.findall(
        r'(?:msgctxt "(.+)"\n)?msgid "(.+)"\nmsgstr "(.+)"', written
    ):
        found = compiled.pgettext(context, said) if context else compiled.gettext(said)
        assert found == german


def test_no_sentence_of_the_reporters_page_and_mail_is_left_in_english():
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    folder = ROOT / "templates/triage"
    for path in (*folder.glob("reporter_*.html"), *folder.glob("mail/*.txt")):
        for said, context in re.findall(
            r'{% translate "([^"]+)"(?: context "(\w+)")?', path.read_text()
        ):
            found = compiled.pgettext(context, said) if context else compiled.gettext(said)
            assert found != said, (path.name, said)
    with translation.override("de"):
        for words in (*STATE_WORDS.values(), *VERIFIED_WORDS.values()):
            assert str(words) != words._args[0]
