"""The forms of problems, fixes, trackers and privacy."""

import re
import uuid

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import Interaction
from feedbackhub.capture.vocabulary import Severity
from feedbackhub.redaction import KINDS
from triage import fixing, problems
from triage.models import Fix, PriorityRules, Problem, TicketState

_NUMBER = re.compile(r"[Pp]?([0-9]{1,9})")
_LONGEST_SUMMARY = 4_000


class PlainTextField(forms.CharField):
    """One line or several without what PostgreSQL and people cannot read."""

    def clean(self, value):
        return super().clean(value.replace("\0", "") if isinstance(value, str) else value)


def numbers_in(words: str) -> list[int]:
    """Problem numbers as people write them: "P12, 13". Raises ValidationError naming what is none."""
    numbers = []
    for word in re.split(r"[\s,;]+", words.strip()):
        found = _NUMBER.fullmatch(word)
        if found:
            numbers.append(int(found[1]))
        elif word:
            raise ValidationError(_("%(word)s is no problem's number.") % {"word": word[:40]})
    return numbers


# --- problems -------------------------------------------------------------------------------------


class MoveForm(forms.Form):
    state = forms.ChoiceField(choices=Problem.State.choices)
    was = forms.ChoiceField(choices=Problem.State.choices)


class RenameForm(forms.Form):
    title = PlainTextField(label=_("Title"), max_length=200)
    summary = PlainTextField(
        label=_("What is known"),
        max_length=_LONGEST_SUMMARY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class MergeForm(forms.Form):
    into = forms.CharField(
        label=_("It is the same as"),
        max_length=20,
        help_text=_("The number of the other problem, such as P12. Its cases move there."),
    )

    def clean_into(self):
        numbers = numbers_in(self.cleaned_data["into"])
        if len(numbers) != 1:
            raise ValidationError(_("Name one problem."))
        return numbers[0]


class NumberedProblemField(forms.CharField):
    """A problem by its number, such as P12; of the form's project."""

    project = None

    def clean(self, value):
        words = super().clean(value)
        numbers = numbers_in(words)
        if not numbers and not self.required:
            return None
        found = Problem.objects.filter(project=self.project, number__in=numbers[:1]).exclude(
            state=Problem.State.DUPLICATE
        )
        if len(numbers) != 1 or not found:
            raise ValidationError(_("There is no such problem here."))
        return found[0]


class PutForm(forms.Form):
    into = NumberedProblemField(label=_("Put into"), max_length=20)

    def __init__(self, *args, project: Project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["into"].project = project


class MoveCasesForm(forms.Form):
    """Picked cases go to a problem, or without one to a new one."""

    to = NumberedProblemField(label=_("To"), max_length=20, required=False)
    title = PlainTextField(label=_("Title"), max_length=200, required=False)

    def __init__(self, *args, project: Project, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].project = project

    def cases(self) -> list[uuid.UUID]:
        """The picked cases; what is no id is nobody's."""
        found = []
        for word in self.data.getlist("cases")[:1_000]:
            try:
                found.append(uuid.UUID(word))
            except ValueError:
                continue
        return found


class OpenProblemForm(forms.Form):
    """A problem opened by hand, with cases named by the product's own ids."""

    title = PlainTextField(label=_("Title"), max_length=200)
    summary = PlainTextField(
        label=_("What is known"),
        max_length=_LONGEST_SUMMARY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    severity = forms.ChoiceField(
        label=_("Severity"), choices=Severity.choices, initial=Severity.MEDIUM
    )
    fixable_by = forms.ChoiceField(
        label=_("Fixable by"),
        choices=[("", _("not known")), *Problem.FixableBy.choices],
        required=False,
    )
    cases = PlainTextField(
        label=_("Cases"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("Ids of interactions, one on each line. They leave the problem they are in."),
    )

    def __init__(self, *args, project: Project, **kwargs):
        super().__init__(*args, **kwargs)
        self._project = project

    def clean_cases(self):
        ids = [line.strip() for line in self.cleaned_data["cases"].splitlines() if line.strip()]
        found = list(
            Interaction.objects.kept().filter(project=self._project, external_id__in=ids[:200])
        )
        missing = sorted(set(ids) - {each.external_id for each in found})
        if missing:
            raise ValidationError(_("There is no %(id)s here.") % {"id": missing[0][:60]})
        return found

    def open(self) -> Problem:
        given = self.cleaned_data
        return problems.open_by_hand(
            project=self._project,
            title=given["title"],
            summary=given["summary"],
            severity=given["severity"],
            fixable_by=given["fixable_by"],
            interactions=given["cases"],
        )


class SeverityForm(forms.Form):
    severity = forms.ChoiceField(choices=Severity.choices)


class FixableByForm(forms.Form):
    fixable_by = forms.ChoiceField(choices=[("", "—"), *Problem.FixableBy.choices], required=False)


class OwnerForm(forms.Form):
    owner = forms.UUIDField(required=False)


# --- fixes ----------------------------------------------------------------------------------------


class FixForm(forms.Form):
    """What shipped. `problems` are found by number, `tickets` by key; both answer rows in `found`."""

    summary = PlainTextField(
        label=_("What changed, in the reporter's words"),
        max_length=_LONGEST_SUMMARY,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It stands in the mail as it is: no ticket keys, no model names, no jargon."),
    )
    problems = forms.CharField(
        label=_("Problems it solves"),
        max_length=500,
        required=False,
        help_text=_("Their numbers: P12, P13"),
    )
    tickets = PlainTextField(
        label=_("Or their tickets"),
        max_length=500,
        required=False,
        help_text=_("Their keys: TAX-220"),
    )
    carrier = forms.ChoiceField(label=_("What carries it"), choices=Fix.Carrier.choices)
    carrier_version = PlainTextField(
        label=_("Which version"), max_length=200, required=False, help_text=_("Such as v14.")
    )
    state = forms.ChoiceField(
        label=_("It is"),
        choices=[
            (Fix.State.SHIPPED, _("shipped: reporters are told now")),
            (Fix.State.PLANNED, _("planned: they are told when it ships")),
        ],
        initial=Fix.State.SHIPPED,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        self.project = project
        self.found = []

    @staticmethod
    def initial_of(fix, numbers) -> dict:
        """What a ticket says shipped, to be confirmed or edited."""
        return {
            "summary": fix.summary,
            "problems": ", ".join(f"P{number}" for number in numbers),
            "carrier": fix.carrier,
            "carrier_version": fix.carrier_version,
            "state": Fix.State.SHIPPED,
        }

    def given(self) -> dict:
        """What `fixing.record_fix` and `confirm_fix` take."""
        return {
            "summary": self.cleaned_data["summary"],
            "problems_fixed": self.found,
            "carrier": self.cleaned_data["carrier"],
            "carrier_version": self.cleaned_data["carrier_version"],
            "is_planned": self.cleaned_data["state"] == Fix.State.PLANNED,
        }

    def clean_problems(self):
        return numbers_in(self.cleaned_data["problems"])

    def clean_tickets(self):
        return [key for key in re.split(r"[\s,;]+", self.cleaned_data["tickets"].strip()) if key]

    def clean(self):
        cleaned = super().clean()
        if "problems" in cleaned and "tickets" in cleaned:
            try:
                self.found = fixing.find_problems(
                    project=self.project,
                    numbers=cleaned["problems"],
                    ticket_keys=cleaned["tickets"],
                )
            except ValidationError as error:
                self.add_error("problems", error.messages)
            else:
                if not self.found:
                    self.add_error("problems", _("Name at least one problem that this solves."))
        return cleaned


class ReasonForm(forms.Form):
    reason = PlainTextField(
        label=_("Why it counts as verified"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Without every case having passed again. It is shown in the timeline."),
    )


# --- trackers -------------------------------------------------------------------------------------


class ConnectionForm(forms.Form):
    """A connection's settings, its fields named by its adapter. Secrets are never shown; an empty one keeps the kept."""

    name = PlainTextField(label=_("Name"), max_length=80, help_text=_("What the board calls it."))

    def __init__(self, *args, tracker, connection=None, **kwargs):
        self.tracker, self.connection = tracker, connection
        if connection is not None:
            kwargs.setdefault("initial", _stored(connection))
        else:
            kwargs.setdefault("initial", {"name": tracker.label, "files_by_itself": True})
        super().__init__(*args, **kwargs)
        for each in tracker.config_fields:
            self.fields[each.name] = self._field(each)
        self.fields["files_by_itself"] = forms.BooleanField(
            label=_("Files problems by itself"), required=False
        )
        self.fields["files_from"] = forms.ChoiceField(
            label=_("From this severity on"),
            choices=list(reversed(Severity.choices)),
            initial=Severity.HIGH,
        )
        self.fields["status_map"] = forms.CharField(
            label=_("Meaning of its statuses"),
            required=False,
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
            help_text=_(
                "Only where ours is wrong. One a line: In QA = in_progress. States: %(states)s."
            )
            % {"states": ", ".join(TicketState.values)},
        )

    def _field(self, each):
        keeps = each.is_secret and self.connection is not None
        attrs = {"placeholder": each.placeholder, "autocomplete": "off", "spellcheck": "false"}
        if each.is_secret:
            attrs["autocomplete"] = "new-password"
        widgets = {
            "secret": forms.PasswordInput(attrs=attrs),
            "json": forms.Textarea(attrs={**attrs, "rows": 3}),
            "email": forms.TextInput(attrs={**attrs, "inputmode": "email"}),
            "url": forms.TextInput(attrs={**attrs, "inputmode": "url"}),
        }
        kept = _("Leave it empty to keep the present one.") if keeps else ""
        return PlainTextField(
            label=each.label,
            help_text=" ".join(filter(None, (str(each.help), str(kept)))),
            required=each.required and not keeps,
            max_length=4_000,
            widget=widgets.get(each.kind, forms.TextInput(attrs=attrs)),
        )

    @property
    def config(self) -> dict:
        return {
            each.name: self.cleaned_data.get(each.name, "")
            for each in self.tracker.config_fields
            if not each.is_secret
        }

    @property
    def secrets(self) -> dict:
        return {
            each.name: self.cleaned_data.get(each.name, "")
            for each in self.tracker.config_fields
            if each.is_secret
        }

    @property
    def choices_made(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("name", "files_by_itself", "files_from")}

    def clean_status_map(self):
        found = {}
        for line in self.cleaned_data["status_map"].replace("\0", "").splitlines():
            name, _sign, state = (part.strip() for part in line.rpartition("="))
            if not line.strip():
                continue
            if not name or state not in TicketState.values:
                raise ValidationError(
                    _("“%(line)s”: write the status, = and one of our states.")
                    % {"line": line[:60]}
                )
            found[name[:100]] = state
        return found

    def clean(self):
        """A kept secret goes to no other address than the one it was entered for."""
        cleaned = super().clean()
        if self.connection is not None and "base_url" in self.fields:
            was = str(self.connection.config.get("base_url") or "").rstrip("/").lower()
            now = str(cleaned.get("base_url") or "").rstrip("/").lower()
            if now and was and now != was:
                for each in self.tracker.config_fields:
                    if each.is_secret and each.required and not cleaned.get(each.name):
                        self.add_error(each.name, _("The address changed: enter this one anew."))
        return cleaned

    def refuse(self, errors: dict) -> None:
        """What the adapter says of its fields."""
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)


def _stored(connection) -> dict:
    import json

    shown = {
        name: json.dumps(value, indent=2) if isinstance(value, dict | list) else value
        for name, value in connection.config.items()
        if value not in ({}, [])
    }
    return shown | {
        "name": connection.name,
        "files_by_itself": connection.files_by_itself,
        "files_from": connection.files_from,
        "status_map": "\n".join(
            f"{name} = {state}" for name, state in connection.status_map.items()
        ),
    }


# --- privacy --------------------------------------------------------------------------------------

_KIND_WORDS = {
    "EMAIL": _("e-mail addresses"),
    "PHONE": _("phone numbers"),
    "IP": _("IP addresses"),
    "BIRTH_DATE": _("dates of birth"),
    "CARD": _("payment cards"),
    "IBAN": _("IBANs"),
    "BANK_ACCOUNT": _("bank accounts"),
    "NATIONAL_ID": _("ids given by a state: passport, tax, social security"),
    "PERSONAL_ID": _("ids given by a house: patient, member, customer"),
    "PASSWORD": _("passwords"),
    "API_KEY": _("API keys"),
    "JWT": _("signed tokens"),
    "PRIVATE_KEY": _("private keys"),
}
_SLA_SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


class PrivacyForm(forms.Form):
    """How long texts are kept, what is masked in them, how soon a problem is to be solved."""

    retention_days = forms.IntegerField(
        label=_("Keep interactions for"),
        min_value=1,
        max_value=3_650,
        help_text=_(
            "Days since they came. Then their texts are forgotten, but for gold, open items and open problems."
        ),
    )
    redaction_kinds = forms.MultipleChoiceField(
        label=_("Mask before anything is stored"),
        choices=[
            *((kind, words) for kind, words in _KIND_WORDS.items() if kind in KINDS),
            *((kind, kind) for kind in sorted(KINDS - _KIND_WORDS.keys())),
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("It holds from now on. What was stored already stays as it is."),
    )

    def __init__(self, *args, project: Project, **kwargs):
        kinds = project.redaction_kinds
        kwargs.setdefault(
            "initial",
            {
                "retention_days": project.retention_days,
                "redaction_kinds": sorted(KINDS if kinds is None else kinds),
                **{f"sla_{each}": project.sla_hours.get(str(each)) for each in _SLA_SEVERITIES},
            },
        )
        super().__init__(*args, **kwargs)
        for each in _SLA_SEVERITIES:
            self.fields[f"sla_{each}"] = forms.IntegerField(
                label=Severity(each).label, min_value=1, max_value=8_760, required=False
            )

    @property
    def sla_fields(self):
        return [self[f"sla_{each}"] for each in _SLA_SEVERITIES]

    def save(self, project: Project) -> Project:
        given = self.cleaned_data
        kinds = sorted(given["redaction_kinds"])
        project.retention_days = given["retention_days"]
        project.redaction_kinds = None if set(kinds) == KINDS else kinds
        project.sla_hours = {
            str(each): given[f"sla_{each}"] for each in _SLA_SEVERITIES if given[f"sla_{each}"]
        }
        project.save(update_fields=["retention_days", "redaction_kinds", "sla_hours"])
        return project


class EraseForm(forms.Form):
    """A person by the reference under which the product names them, typed twice."""

    reference = forms.CharField(
        label=_("The person's reference"),
        max_length=200,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The user id or reporter reference that your product sends. It is not kept."),
    )
    again = forms.CharField(
        label=_("Type it again"),
        max_length=200,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self):
        cleaned = super().clean()
        if {"reference", "again"} <= cleaned.keys() and cleaned["reference"] != cleaned["again"]:
            self.add_error("again", _("The two differ. Nobody was erased."))
        return cleaned


class PriorityRulesForm(forms.ModelForm):
    """What counts how much, and when people are told that a problem is late."""

    class Meta:
        model = PriorityRules
        fields = [
            *(f"severity_{each}" for each in Severity.values),
            *("reach_power", "frequency_power", "recency_power", "half_life_days"),
            *("warn_at_percent", "quiet_from", "quiet_to", "time_zone", "has_model_titles"),
        ]
        labels = {
            "severity_none": _("None"),
            "severity_low": _("Low"),
            "severity_medium": _("Medium"),
            "severity_high": _("High"),
            "severity_critical": _("Critical"),
            "reach_power": _("Reach, to the power of"),
            "frequency_power": _("Frequency, to the power of"),
            "recency_power": _("Recency, to the power of"),
            "half_life_days": _("Recency halves in"),
            "warn_at_percent": _("Warn the owner after"),
            "quiet_from": _("Quiet from"),
            "quiet_to": _("Quiet to"),
            "time_zone": _("In the time zone"),
            "has_model_titles": _("A model may name new problems"),
        }
        help_texts = {
            "reach_power": _("1 takes a factor as it is, 0 leaves it out."),
            "half_life_days": _("Days without a new case."),
            "warn_at_percent": _(
                "Percent of the time that a problem has. Once it is late, the leads and owners hear of it."
            ),
            "quiet_to": _(
                "Letters wait until then; never for a critical problem. Empty: no quiet hours."
            ),
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not settings.SUGGESTER:  # there is none to switch on
            del self.fields["has_model_titles"]
            return
        self.fields["has_model_titles"].help_text = _(
            "%(model)s gets the masked questions and comments of a new problem’s cases, none of the holdout. What a person named stays."
        ) % {"model": settings.SUGGESTER_MODEL}

    def clean(self):
        given = super().clean()
        start, end = given.get("quiet_from"), given.get("quiet_to")
        if (start is None) != (end is None) or (start is not None and start == end):
            self.add_error("quiet_to", _("Give both, and not the same."))
        return given
