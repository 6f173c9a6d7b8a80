"""The settings of queues: where items wait, and the rules of judging there."""

from django import forms
from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.consensus import weights_of
from annotation.label_schema import schemas_of
from annotation.models import QueueMember, ReviewItem, ReviewQueue
from annotation.pausing import judges_of
from annotation.queues import save_queue
from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.models import Membership, User
from feedbackhub.accounts.permissions import PERMISSIONS
from feedbackhub.list_pages import list_page

SOME = 1_000  # items waiting are counted no further
LIMITS = {
    "overlap": (1, 9),
    "overlap_percent": (0, 100),
    "adds_reviewer_below": (0, 1),
    "agreement_items": (2, 10_000),
    "due_hours": (1, 8_760),
    "daily_cap": (1, 10_000),
    "calibration_percent": (0, 50),
    "calibration_bar": (1, 100),
    "onboarding_count": (0, 200),
    "repeat_percent": (0, 50),
    "repeat_weeks": (1, 520),
    "held_ahead": (1, 10),
    "lease_minutes": (1, 1_440),
    "intake_cap": (1, 2_000_000_000),
}


SECTIONS = [
    (
        gettext_lazy("The queue"),
        ["name", "is_open", "schema_name", "members", "not_my_field_queue"],
    ),
    (
        gettext_lazy("How an item is settled"),
        [
            *("overlap", "overlap_percent", "everybody_judges", "consensus", "on_tie"),
            *("adds_reviewer_below", "agreement_items"),
            *("is_blind", "suggestions_after_first_answer"),
        ],
    ),
    (
        gettext_lazy("What comes, and when"),
        ["order", "due_hours", "intake_cap", "daily_cap", "held_ahead", "lease_minutes"],
    ),
    (
        gettext_lazy("How well people judge"),
        [
            *("onboarding_count", "calibration_percent", "calibration_bar"),
            *("repeat_percent", "repeat_weeks"),
        ],
    ),
]


class QueueForm(forms.ModelForm):
    members = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Who judges here"),
        queryset=User.objects.none(),
        required=False,
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Nobody ticked: everybody who may judge in the project."),
    )

    class Meta:
        model = ReviewQueue
        fields = [
            "name",
            "is_open",
            "schema_name",
            "overlap",
            "overlap_percent",
            "everybody_judges",
            "consensus",
            "on_tie",
            "adds_reviewer_below",
            "agreement_items",
            "is_blind",
            "suggestions_after_first_answer",
            "order",
            "due_hours",
            "daily_cap",
            "held_ahead",
            "lease_minutes",
            "intake_cap",
            "not_my_field_queue",
            "onboarding_count",
            "calibration_percent",
            "calibration_bar",
            "repeat_percent",
            "repeat_weeks",
        ]
        labels = {
            "name": gettext_lazy("Name"),
            "is_open": gettext_lazy("Open: items are handed out"),
            "overlap": gettext_lazy("Experts per item"),
            "overlap_percent": gettext_lazy("On how many of a hundred items"),
            "everybody_judges": gettext_lazy(
                "Each item is finished only when all who are ticked judged it"
            ),
            "consensus": gettext_lazy("An item is settled when"),
            "on_tie": gettext_lazy("When they do not agree"),
            "adds_reviewer_below": gettext_lazy("Add a reviewer while alpha is below"),
            "agreement_items": gettext_lazy("… on so many items or more"),
            "order": gettext_lazy("Which comes first"),
            "due_hours": gettext_lazy("Hours until an item is due"),
            "daily_cap": gettext_lazy("Items one person judges a day at most"),
            "is_blind": gettext_lazy("Blind: nobody sees others' answers before their own"),
            "suggestions_after_first_answer": gettext_lazy(
                "Suggestions stay hidden until the first answer"
            ),
            "held_ahead": gettext_lazy("Items one person may hold at once"),
            "lease_minutes": gettext_lazy("Minutes an item stays in hand"),
            "intake_cap": gettext_lazy("Items waiting at most"),
            "not_my_field_queue": gettext_lazy("“Not my field” goes to"),
            "onboarding_count": gettext_lazy("Known cases before a new expert’s work counts"),
            "calibration_percent": gettext_lazy("Known cases slipped in, of a hundred items"),
            "calibration_bar": gettext_lazy("Percent of them to get right"),
            "repeat_percent": gettext_lazy("Own items shown again, of a hundred items"),
            "repeat_weeks": gettext_lazy("… after so many weeks"),
        }
        help_texts = {
            "overlap": gettext_lazy(
                "1 to 9. Two or more and a disagreement goes to a lead. Items already here keep theirs."
            ),
            "overlap_percent": gettext_lazy(
                "0 to 100. The others are judged by one. Which ones is decided by their id: always the same."
            ),
            "everybody_judges": gettext_lazy(
                "As many as are ticked above, nine at most; the number of experts does not count then."
            ),
            "consensus": gettext_lazy("A voice that says harm is never outvoted: a lead decides."),
            "on_tie": gettext_lazy("With “all say the same” it is always a lead."),
            "adds_reviewer_below": gettext_lazy(
                "0 to 1, often .667. Looked at once an hour. Empty: never."
            ),
            "agreement_items": gettext_lazy(
                "Items that several judged, before alpha says anything."
            ),
            "due_hours": gettext_lazy("Empty: as the rule that brings it in says."),
            "order": gettext_lazy(
                "Items that wait already follow a change within a minute. What is urgent stays first."
            ),
            "daily_cap": gettext_lazy(
                "Empty: no limit. The day begins at midnight where they are."
            ),
            "onboarding_count": gettext_lazy(
                "Approved gold, as far as there is that much. They look like other items and are never labels."
            ),
            "calibration_bar": gettext_lazy(
                "Who falls below is told, and you see it among the people; you may pause them there."
            ),
            "held_ahead": gettext_lazy("1 to 10."),
            "lease_minutes": gettext_lazy(
                "1 to 1,440. After that somebody else may take it; the draft is kept."
            ),
            "intake_cap": gettext_lazy(
                "Empty: no limit. What rules send to a full queue waits outside and comes in as places come free."
            ),
        }
        widgets = {
            "overlap": forms.NumberInput(attrs={"min": 1, "max": 9}),
            "overlap_percent": forms.NumberInput(attrs={"min": 0, "max": 100}),
            "adds_reviewer_below": forms.NumberInput(attrs={"min": 0, "max": 1, "step": "0.001"}),
            "due_hours": forms.NumberInput(attrs={"min": 1, "max": 8760}),
            "daily_cap": forms.NumberInput(attrs={"min": 1}),
            "held_ahead": forms.NumberInput(attrs={"min": 1, "max": 10}),
            "lease_minutes": forms.NumberInput(attrs={"min": 1, "max": 1440}),
            "intake_cap": forms.NumberInput(attrs={"min": 1}),
        }

    @property
    def sections(self):
        """(heading, fields): all of them, in the order in which they are asked."""
        return [(heading, [self[name] for name in names]) for heading, names in SECTIONS]

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.project = project
        judges = Membership.objects.filter(
            project=project, roles__overlap=list(PERMISSIONS["judge"])
        )
        self.judges = set(judges.values_list("user_id", flat=True))
        named = QueueMember.objects.filter(queue=self.instance.pk).values("user")
        self.fields["members"].queryset = User.objects.filter(
            Q(pk__in=self.judges) | Q(pk__in=named)
        ).order_by("name")
        self.fields["members"].label_from_instance = self._name
        others = ReviewQueue.objects.for_project(project).exclude(pk=self.instance.pk)
        self.fields["not_my_field_queue"].queryset = others.order_by("name")
        self.schema_before = self.instance.schema_name
        names = [schema.name for schema in schemas_of(project)]
        names = list(dict.fromkeys([self.schema_before, *names]))
        self.fields["schema_name"] = forms.ChoiceField(
            label=_("Label schema"),
            choices=[(name, name) for name in names],
            initial=self.schema_before,
            required=False,
            help_text=_("What is asked of each answer. It stays while the queue holds items."),
        )
        self.fields["not_my_field_queue"].empty_label = _("any colleague of this queue")
        if self.instance.pk:
            self.initial["members"] = [
                member.user.public_id
                for member in QueueMember.objects.filter(queue=self.instance).select_related("user")
            ]

    def _name(self, user) -> str:
        """Who is named and may judge no longer stays ticked: to leave the list empty would open the queue to everybody."""
        if user.pk in self.judges:
            return str(user)
        return _("%(name)s (judges here no longer)") % {"name": user}

    def clean(self):
        """The database's own limits, said beside the field."""
        cleaned = super().clean()
        for name, (least, most) in LIMITS.items():
            value = cleaned.get(name)
            if value is not None and not least <= value <= most:
                self.add_error(
                    name,
                    _("Between %(least)d and %(most)d.") % {"least": least, "most": most},
                )
        cleaned["schema_name"] = cleaned.get("schema_name") or self.schema_before
        if (
            self.instance.pk
            and cleaned["schema_name"] != self.schema_before
            and self.instance.items.exists()
        ):
            self.add_error(
                "schema_name",
                _("This queue holds items already. Make another queue for another schema."),
            )
        named = sum(user.pk in self.judges for user in cleaned.get("members") or ())
        is_named = bool(cleaned.get("members"))
        if (
            not cleaned.get("everybody_judges")
            and is_named
            and named < (cleaned.get("overlap") or 1)
        ):
            self.add_error(
                "members",
                _("Name at least as many people as judge an item, or nobody."),
            )
        if cleaned.get("everybody_judges") and not 0 < named <= 9:
            self.add_error("members", _("Name one to nine people who judge each item."))
        return cleaned


@project_page("change_queues")
def settings_queues(request):
    waiting = ReviewItem.objects.waiting().filter(queue=OuterRef("pk")).values("pk")[: SOME + 1]
    queues = ReviewQueue.objects.for_project(request.project).prefetch_related("members")
    listed = list_page(
        request,
        queues.annotate(
            waiting_count=Func(
                ArraySubquery(waiting), function="cardinality", output_field=IntegerField()
            )
        ),
        order=("id",),
    )
    for queue in listed:
        queue.waiting = f"{SOME}+" if queue.waiting_count > SOME else str(queue.waiting_count)
    return render(request, "annotation/settings_queues.html", {"list": listed})


@project_page("change_queues")
def new_queue(request):
    return _edit(request, None)


@project_page("change_queues")
def queue(request, public_id):
    found = ReviewQueue.objects.for_project(request.project).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return _edit(request, found)


def _edit(request, found):
    form = QueueForm(request.POST or None, instance=found, project=request.project)
    if request.method == "POST" and form.is_valid():
        saved = save_queue(queue=form.save(commit=False), members=form.cleaned_data["members"])
        messages.success(request, _("%(queue)s is saved.") % {"queue": saved})
        return redirect("settings_queues", request.project.slug)
    return render(
        request,
        "annotation/settings_queue.html",
        {"form": form, "queue": found, "judges": _judges(found) if found else []},
        status=400 if form.errors else 200,
    )


def _judges(queue) -> list[dict]:
    """Who judges here, each with what their word weighs."""
    judges = judges_of(queue)
    weights = weights_of(queue, [each["user"].pk for each in judges])
    return [{**each, "weight": weights[each["user"].pk]} for each in judges]
