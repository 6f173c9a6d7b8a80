"""One question to a language model behind an OpenAI-compatible service (`POST …/chat/completions`), through the one door out.

What it is asked about are others' words: they stand between marks that they cannot hold themselves, so that no text ends its
own part and becomes an instruction. What it answers is a stranger's, read as JSON and nothing more.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from feedbackhub import outbound


@dataclass(frozen=True, slots=True)
class ChatModel:
    """`ChatModel("https://…/v1", "model-1", key="…", service="the judge")`; the service's name is for errors."""

    address: str
    name: str
    key: str
    service: str

    def ask(
        self, instruction: str, material: str, limits: outbound.Limits = outbound.LIMITS
    ) -> object | None:
        """What it answers, read as JSON; None where that cannot be read. Raises OutboundError."""
        answer = outbound.request_json(
            "POST",
            f"{self.address.rstrip('/')}/chat/completions",
            expects_write=False,
            headers={"Authorization": f"Bearer {self.key}"} if self.key else None,
            json={
                "model": self.name,
                "temperature": 0,
                "messages": [
                    {"role": "system", "content": instruction},
                    {"role": "user", "content": material},
                ],
            },
            limits=limits,
            service=self.service,
        )
        try:
            return json.loads(answer.json["choices"][0]["message"]["content"])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
            return None


def suggesting_model(name: str = "") -> ChatModel:
    """The model that suggests (`SUGGESTER`), under the name that is set unless another is told."""
    return ChatModel(
        settings.SUGGESTER,
        name or settings.SUGGESTER_MODEL,
        key=settings.SUGGESTER_KEY,
        service="the suggesting model",
    )


def between_marks(parts: Iterable[tuple[str, str]], longest: int) -> str:
    """(name, text) by (name, text), each text cut to so many characters."""
    marked = [f"<<<{name}>>>\n{_unmarked(text[:longest])}" for name, text in parts]
    return "\n".join([*marked, "<<<end>>>"])


def _unmarked(text: str) -> str:
    return text.replace("<<<", "‹‹‹").replace(">>>", "›››")
