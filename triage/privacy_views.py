"""The settings of privacy: what is masked, how long things are kept and may wait, and forgetting a person."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from feedbackhub.accounts.access import project_page
from feedbackhub.capture.erasure import erase_person, person_hash
from triage.forms import EraseForm, PrivacyForm


@project_page("see_privacy", post="change_privacy")
def settings_privacy(request):
    form = PrivacyForm(request.POST or None, project=request.project)
    if request.method == "POST" and form.is_valid():
        form.save(request.project)
        messages.success(request, _("Saved."))
        return redirect("settings_privacy", request.project.slug)
    return _page(request, form=form, status=400 if form.errors else 200)


def _page(request, *, status=200, **forms):
    context = {
        "form": PrivacyForm(project=request.project),
        "erase_form": EraseForm(prefix="erase"),
        **forms,
    }
    return render(request, "triage/settings_privacy.html", context, status=status)


@sensitive_post_parameters()
@project_page("erase_people")
@require_POST
def erase(request):
    """Forget the person with this reference, everywhere and for good. The reference itself is written nowhere."""
    form = EraseForm(request.POST, prefix="erase")
    if not form.is_valid():
        return _page(request, erase_form=form, status=400)
    reference = form.cleaned_data["reference"]
    counts = erase_person(
        project=request.project,
        ref_hash=person_hash(project=request.project, reference=reference),
    )
    if any(counts.values()):
        messages.success(
            request,
            _(
                "Forgotten: %(interactions)d interactions, %(feedback)d feedback events, %(reporters)d reporter."
            )
            % counts,
        )
    else:
        messages.warning(request, _("Nobody is known under this reference. Nothing was erased."))
    return redirect("settings_privacy", request.project.slug)
