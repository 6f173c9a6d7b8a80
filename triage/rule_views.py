"""The settings of problems: what their priority is made of, and when people hear that one is late."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from feedbackhub.accounts.access import project_page
from triage.forms import PriorityRulesForm
from triage.models import rules_of


@project_page("change_rules")
def settings_problems(request):
    """A change moves the board within a minute: the sweep computes anew what has drifted."""
    form = PriorityRulesForm(request.POST or None, instance=rules_of(request.project.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. The board is ranked anew within a minute."))
        return redirect("settings_problems", request.project.slug)
    status = 400 if form.errors else 200
    return render(request, "triage/settings_problems.html", {"form": form}, status=status)
