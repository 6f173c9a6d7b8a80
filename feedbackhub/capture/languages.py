"""Which language somebody asked in: looked at after capture, off the hot path, so that lists and coverage can tell."""

from feedbackhub.capture.models import Interaction

UNDETERMINED = "und"  # looked at; "" is not looked at yet
FEWEST_LETTERS = 12
_LONGEST = 2_000
_BATCH = 500


def language_of(text: str) -> str:
    """A code of ISO 639-1, or `und` where there are too few letters to tell."""
    import py3langid  # half a second and some memory: only where it is needed

    text = text[:_LONGEST]
    if sum(character.isalpha() for character in text) < FEWEST_LETTERS:
        return UNDETERMINED
    return py3langid.classify(text)[0]


def tell_language(interaction: Interaction) -> None:
    """Write down the language of its last question; safe to repeat."""
    found = language_of(interaction.last_user_message)
    Interaction.objects.filter(pk=interaction.pk, language="").update(language=found)


def fill() -> int:
    """The same for all that came in before it was looked at; answers how many. Safe to stop and to repeat."""
    done, after = 0, 0
    while True:
        rows = Interaction.objects.kept().filter(pk__gt=after, language="").only("messages")
        batch = list(rows.order_by("pk")[:_BATCH])
        if not batch:
            return done
        for interaction in batch:
            tell_language(interaction)
        done, after = done + len(batch), batch[-1].pk
