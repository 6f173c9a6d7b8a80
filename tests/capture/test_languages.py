"""The language that somebody asked in, told after capture."""

import json

import pytest
from django.core.management import call_command

from feedbackhub.capture import languages
from feedbackhub.capture.models import Interaction
from feedbackhub.outbox.delivery import deliver_due
from tests.factories import InteractionFactory

GERMAN = "Kann ich die Kosten für mein Arbeitszimmer von der Steuer absetzen?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GERMAN, "de"),
        ("Can I deduct the costs of my home office?", "en"),
        ("Puis-je déduire les frais de mon bureau à domicile ?", "fr"),
        ("ok, 2024?", "und"),
        ("🙂 12345 67890 12345", "und"),
        ("", "und"),
    ],
)
def test_a_text_is_told_where_it_has_letters_enough(text, code):
    assert languages.language_of(text) == code


def test_what_is_captured_has_its_language_once_the_news_is_delivered(api, project):
    body = {"id": "1", "input": GERMAN, "output": "Ja, unter Bedingungen."}
    api("capture").post("/api/v1/interactions", body, content_type="application/json")
    deliver_due()
    assert Interaction.objects.get().language == "de"


def test_the_command_fills_what_came_in_before_and_may_be_repeated(project, monkeypatch, capsys):
    monkeypatch.setattr(languages, "_BATCH", 2)
    for words in (GERMAN, GERMAN, "ok"):
        InteractionFactory(project=project, messages=[{"role": "user", "content": words}])
    for expected in (3, 0):
        call_command("fill_languages")
        assert json.loads(capsys.readouterr().out) == {"interactions": expected}
    found = Interaction.objects.order_by("pk").values_list("language", flat=True)
    assert list(found) == ["de", "de", "und"]
