"""The page one starts on: what to do next, by role."""

from django.conf import settings
from django.shortcuts import render

from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.views import LAST_PROJECT
from feedbackhub.analytics import next_steps
from feedbackhub.capture.models import Interaction

FIRST_INTERACTION = """curl {base}/api/v1/interactions \\
  -H "Authorization: Bearer fh_sk_…" \\
  -H "Content-Type: application/json" \\
  -d '{{"id": "chat-1", "model": "your-model", "input": "Can I deduct my bicycle?", "output": "Yes."}}'

curl {base}/api/v1/feedback \\
  -H "Authorization: Bearer fh_sk_…" \\
  -H "Content-Type: application/json" \\
  -d '{{"interaction_id": "chat-1", "kind": "thumbs_down", "category": "wrong"}}'"""


@project_page()
def project_home(request):
    request.session[LAST_PROJECT] = request.project.slug
    is_empty = not Interaction.objects.for_project(request.project).exists()
    return render(
        request,
        "analytics/home.html",
        {
            "parts": next_steps.for_member(request.membership),
            "is_empty": is_empty,
            "first_interaction": FIRST_INTERACTION.format(base=settings.BASE_URL),
        },
    )
