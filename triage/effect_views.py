"""What became of one's own labels."""

from django.shortcuts import render

from feedbackhub.accounts.access import project_page
from triage import effect


@project_page("see_own_work")
def my_effect(request):
    found = effect.effects_of(project=request.project, user=request.user)
    return render(
        request,
        "triage/my_effect.html",
        {"effects": found, "labels": sum(each.labels for each in found)},
    )
