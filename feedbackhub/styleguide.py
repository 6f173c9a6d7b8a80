"""All parts on one page, in both themes: look at it before adding a new one."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from feedbackhub.parts import words

ANSWER = (
    "You can deduct the full cost of your home office if you work from home more than half of "
    "the time. The limit for 2026 is 1,250 €, and no receipts are needed. 🧾 For a desk you "
    "bought this year, claim it in one sum."
)
CORRECTED = (
    "You can deduct a flat rate of 6 € for each day you work from home, at most 1,260 € a year. "
    "No receipts are needed for the flat rate. 🧾 For a desk you bought this year, claim it in "
    "one sum if it cost no more than 952 €."
)
MARKDOWN = """\
**Short answer:** you can, within limits.

1. The flat rate needs no proof.
2. A desk counts *extra*, see the [official page](https://example.org/home-office).

| Year | Limit |
| --- | --- |
| 2025 | 1,260 € |
| 2026 | 1,260 € |

```
6 € × 210 days = 1,260 €
```

> Rates as of January.

<b>Not bold</b> ![a chart](https://tracker.example/pixel.png)
"""


class SampleForm(forms.Form):
    """A form with one of each, and two mistakes."""

    title = forms.CharField(max_length=80, help_text="In the reporter's words, if you can.")
    owner = forms.ChoiceField(choices=[("", "Nobody"), ("ben", "Ben Okafor")], required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    kinds = forms.MultipleChoiceField(
        choices=[("email", "E-mail addresses"), ("phone", "Phone numbers"), ("iban", "IBANs")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Mask",
    )
    notify = forms.BooleanField(required=False, label="Tell the reporters when it is fixed")


def styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide.html", _samples())


def _samples() -> dict:
    now = timezone.now()
    form = SampleForm({"title": "", "owner": "eve", "kinds": ["email"]})
    form.is_valid()
    days = [f"{day} Nov" for day in range(1, 15)]
    return {
        "themes": ["light", "dark"],
        "severities": list(words.SEVERITIES),
        "verdicts": list(words.VERDICTS),
        "states": list(words.STATES),
        "greys": range(1, 10),
        "tones": ["good", "caution", "bad", "harm", "info"],
        "colours": range(1, 9),
        "answer": ANSWER,
        "corrected": CORRECTED,
        "markdown": MARKDOWN,
        "marks": [
            {"start": 8, "end": 50, "label": "Factual error", "colour": 1},
            {"start": 22, "end": 95, "label": "Fabricated", "colour": 2},
            {"start": 101, "end": 130, "label": "Outdated", "colour": 6},
        ],
        "mark_labels": [
            {"label": "Factual error", "colour": 1},
            {"label": "Fabricated", "colour": 2},
            {"label": "Outdated", "colour": 6},
        ],
        "verdict_choices": [
            {"value": "correct", "label": "Correct", "key": "1", "tone": "good"},
            {"value": "partly", "label": "Partly", "key": "2", "tone": "caution"},
            {"value": "wrong", "label": "Wrong", "key": "3", "tone": "bad"},
            {"value": "harmful", "label": "Harmful", "key": "4", "tone": "harm"},
        ],
        "category_choices": [
            {"value": "factual", "label": "Factual error", "key": "q", "hint": "from 12 cases"},
            {"value": "fabricated", "label": "Fabricated", "key": "w"},
            {"value": "outdated", "label": "Outdated", "key": "e", "hint": "suggested"},
        ],
        "chosen_categories": ["outdated"],
        "state_options": [
            {"label": "All", "url": "?", "count": 41},
            {"label": "Open", "url": "?state=open", "count": 12, "is_current": True},
            {"label": "Fixing", "url": "?state=fixing", "count": 4},
        ],
        "owner_options": [{"label": "Ben Okafor", "url": "?owner=ben"}],
        "problems": [
            {
                "title": "Cites the 2023 tax guide for questions about 2026",
                "severity": "critical",
                "state": "fixing",
                "reach": 128,
                "frequency": 6.4,
                "owner": "Ben Okafor",
                "due_at": now + timedelta(hours=3, minutes=40),
                "trend": [2, 3, 3, 5, 8, 13, 12, 15],
                "ticket": "TAX-214",
                "url": "#p1",
            },
            {
                "title": "Names a home-office limit that never existed",
                "severity": "high",
                "state": "open",
                "reach": 61,
                "frequency": 3.1,
                "owner": "",
                "due_at": now - timedelta(hours=2),
                "trend": [4, 4, 5, 3, 6, 5, 7, 6],
                "ticket": "",
                "url": "#p2",
            },
            {
                "title": "Refuses ordinary questions about gifts between spouses",
                "severity": "medium",
                "state": "investigating",
                "reach": 34,
                "frequency": 1.9,
                "owner": "Ana Brandt",
                "due_at": now + timedelta(days=4),
                "trend": [6, 5, 5, 4, 4, 3, 3, 2],
                "ticket": "TAX-198",
                "url": "#p3",
            },
            {
                "title": "Answers run past what was asked",
                "severity": "low",
                "state": "verified",
                "reach": 19,
                "frequency": 0.4,
                "owner": "Ana Brandt",
                "due_at": None,
                "trend": [3, 2, 2, 1, 1, 0, 0, 0],
                "ticket": "TAX-171",
                "url": "#p4",
            },
        ],
        "board_states": ["open", "investigating", "fixing", "verified"],
        "timeline": [
            {
                "title": "Reported",
                "icon": "hand-thumb-down",
                "tone": "bad",
                "at": now - timedelta(days=2, hours=4),
                "text": "“This is from last year.”",
            },
            {
                "title": "Judged wrong",
                "icon": "pencil-square",
                "who": "Ana Brandt",
                "at": now - timedelta(days=1),
            },
            {
                "title": "Ticket TAX-214",
                "url": "#ticket",
                "icon": "ticket",
                "tone": "accent",
                "at": now - timedelta(hours=5),
            },
            {"title": "Fix", "icon": "wrench", "to_come": True},
        ],
        "trend": [3, 4, 4, 6, 5, 7, 9, 8, 11],
        "agreement": [
            {
                "label": "agreement",
                "points": [
                    {
                        "label": day,
                        "value": 0.66 + 0.012 * place + (0.03 if place % 3 else -0.02),
                        "count": 30 + 4 * place,
                        "low": 0.58 + 0.012 * place,
                        "high": 0.76 + 0.011 * place,
                    }
                    for place, day in enumerate(days)
                ],
            }
        ],
        "rates": [
            {
                "label": "thumbs down",
                "points": [
                    {"label": day, "value": 38 + (place * 7) % 11 - place}
                    for place, day in enumerate(days)
                ],
            },
            {
                "label": "settled",
                "points": [
                    {"label": day, "value": 12 + 2 * place + (place * 5) % 4}
                    for place, day in enumerate(days)
                ],
            },
        ],
        "category_bars": [
            {"label": "Outdated", "value": 0.34, "count": 412, "low": 0.3, "high": 0.385},
            {"label": "Factual error", "value": 0.22, "count": 268, "low": 0.18, "high": 0.26},
            {"label": "Fabricated", "value": 0.11, "count": 131, "low": 0.08, "high": 0.14},
            {
                "label": "Harmful",
                "value": 0.02,
                "count": 24,
                "low": 0.01,
                "high": 0.035,
                "tone": "harm",
            },
        ],
        "facts": [
            {"name": "Interaction", "value": "chat/2026/11/48213", "is_id": True},
            {"name": "Model", "value": "gpt-x 1.2"},
            {"name": "Prompt", "value": "tax-answer v13", "url": "#prompt"},
            {"name": "Trace", "value": ""},
        ],
        "tabs": [
            {"label": "Evidence", "url": "#evidence", "is_current": True, "count": 41},
            {"label": "Fixes", "url": "#fixes", "count": 2},
            {"label": "Discussion", "url": "#discussion"},
        ],
        "crumbs": [{"label": "Problems", "url": "#problems"}],
        "code": "curl -H 'Authorization: Bearer fh_sk_…' \\\n  -d @interactions.ndjson \\\n  "
        "https://feedback.example/api/v1/interactions",
        "form": form,
        "now": now,
        "recently": now - timedelta(minutes=12),
        "long_ago": now - timedelta(days=90),
    }
