"""What waits for me: one page, a section for each kind, the newest of each with the way there."""

from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation import waits
from feedbackhub.accounts.access import project_page

SHOWN = 20


@project_page("see_own_work", "search_interactions")
@require_GET
def waits_for_me(request):
    shown = {
        kind: list(rows(request.membership)[: SHOWN + 1]) for kind, rows in waits.KINDS.items()
    }
    context = {
        **{kind: rows[:SHOWN] for kind, rows in shown.items()},
        "more": {kind: len(rows) > SHOWN for kind, rows in shown.items()},
        "is_empty": not any(shown.values()),
    }
    return render(request, "annotation/waits_for_me.html", context)
