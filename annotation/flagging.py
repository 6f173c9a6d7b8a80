"""Flag an interaction for review by hand, from its page."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation import intake
from annotation.models import ReviewItem
from annotation.queue_choice import QueueChoice
from feedbackhub.accounts.access import project_page
from feedbackhub.capture.models import Interaction


class FlagForm(forms.Form):
    queue = QueueChoice()
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The expert reads this above the answer."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    is_urgent = forms.BooleanField(label=gettext_lazy("First in line"), required=False)

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["queue"].of_project(project)


@project_page("flag_interaction")
def flag_interaction(request, public_id):
    """Alone a page, in the drawer a fragment; either posts here."""
    interaction = (
        Interaction.objects.kept().for_project(request.project).filter(public_id=public_id).first()
    )
    if interaction is None:
        raise Http404
    form = FlagForm(request.POST or None, project=request.project)
    if request.method == "POST" and form.is_valid():
        item = intake.flag_interaction(
            interaction=interaction,
            queue=form.cleaned_data["queue"],
            by=request.user,
            reason=form.cleaned_data["reason"],
            priority=intake.FIRST_IN_LINE if form.cleaned_data["is_urgent"] else 0,
        )
        said = (
            _("It waits for review in %(queue)s.")
            if item.is_new
            else _("It was in %(queue)s already.")
        )
        messages.success(request, said % {"queue": form.cleaned_data["queue"]})
        return redirect("interaction", request.project.slug, public_id)
    items = ReviewItem.objects.filter(interaction=interaction).select_related("queue")
    return render(
        request,
        "annotation/_flag.html" if request.htmx else "annotation/flag.html",
        {"form": form, "interaction": interaction, "items": items},
        status=400 if form.errors else 200,
    )
