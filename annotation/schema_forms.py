"""What the settings of the label schema post. Each form carries the version that its page showed, so that two leads never
undo each other.
"""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from feedbackhub.capture.vocabulary import ReportedCategory, Severity

LONGEST_NAME = 60
LONGEST_MEANING = 500
LONGEST_EXAMPLE = 1_000
LONGEST_GUIDELINES = 50_000
LEAST_SCALE, MOST_SCALE = 2, 10
MOST_ROWS = 60
MOST_PARTS = 8  # of a split


class SeenForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class CategoryForm(SeenForm):
    FIELDS = ("name", "meaning", "default_severity", "good_example", "bad_example", "reported_as")

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    meaning = forms.CharField(
        label=gettext_lazy("What it means"),
        max_length=LONGEST_MEANING,
        help_text=gettext_lazy("One sentence that experts read beside it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    default_severity = forms.ChoiceField(
        label=gettext_lazy("How bad, unless somebody says otherwise"), choices=Severity.choices
    )
    bad_example = forms.CharField(
        label=gettext_lazy("An answer that has the fault"),
        max_length=LONGEST_EXAMPLE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    good_example = forms.CharField(
        label=gettext_lazy("The same without it"),
        max_length=LONGEST_EXAMPLE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    reported_as = forms.MultipleChoiceField(
        label=gettext_lazy("Reporters' words that suggest it"),
        choices=ReportedCategory.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in self.FIELDS}


class GuidelinesForm(SeenForm):
    guidelines = forms.CharField(
        label=gettext_lazy("How to judge, as Markdown"),
        max_length=LONGEST_GUIDELINES,
        widget=forms.Textarea(attrs={"rows": 24}),
    )


class MergeForm(SeenForm):
    """Into which of the others."""

    into = forms.ChoiceField(
        label=gettext_lazy("Merge it into"),
        help_text=gettext_lazy("What was said with it stays readable and counts with the other."),
    )

    def __init__(self, *args, schema, key, **kwargs):
        super().__init__(*args, **kwargs)
        others = [(c["key"], c["name"]) for c in schema.categories if c["key"] != key]
        self.fields["into"].choices = [("", _("Choose one")), *others]


class SplitForm(SeenForm):
    """The names of the parts, one in each line."""

    names = forms.CharField(
        label=gettext_lazy("Split it into"),
        max_length=MOST_PARTS * (LONGEST_NAME + 2),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "One name in each line. They begin with its meaning and examples: change them after."
        ),
    )

    def clean_names(self) -> list[str]:
        names = [line.strip() for line in self.cleaned_data["names"].splitlines()]
        names = [name for name in names if name]
        if not 2 <= len(names) <= MOST_PARTS or len(set(names)) < len(names):
            raise forms.ValidationError(
                _("Two to %(most)d names that differ.") % {"most": MOST_PARTS}
            )
        if any(len(name) > LONGEST_NAME for name in names):
            raise forms.ValidationError(
                _("A name has at most %(most)d characters.") % {"most": LONGEST_NAME}
            )
        return names


# --- lists that are edited as a whole -------------------------------------------------------------


class NamedRowForm(forms.Form):
    """A root cause."""

    key = forms.SlugField(widget=forms.HiddenInput, max_length=60, required=False)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)

    def row(self) -> dict:
        return {"key": self.cleaned_data["key"], "name": self.cleaned_data["name"]}


class MarkForm(NamedRowForm):
    """A span label, and the category that it says too."""

    category = forms.ChoiceField(label=gettext_lazy("Ticks the category"), required=False)

    def __init__(self, *args, schema, **kwargs):
        super().__init__(*args, **kwargs)
        known = [(category["key"], category["name"]) for category in schema.categories]
        self.fields["category"].choices = [("", _("None")), *known]

    def row(self) -> dict:
        category = self.cleaned_data["category"]
        return super().row() | ({"category": category} if category else {})


class CriterionForm(NamedRowForm):
    good = forms.CharField(
        label=gettext_lazy("What good means"),
        max_length=LONGEST_MEANING,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Experts read it under the name, with the highest number."),
    )
    scale = forms.IntegerField(
        label=gettext_lazy("From 1 to"),
        min_value=LEAST_SCALE,
        max_value=MOST_SCALE,
        initial=5,
    )
    required = forms.BooleanField(label=gettext_lazy("Each answer needs it"), required=False)

    def row(self) -> dict:
        return super().row() | {
            name: self.cleaned_data[name] for name in ("good", "scale", "required")
        }


class _Rows(forms.BaseFormSet):
    """Rows keep the order of their numbers; keys that the schema does not have are made anew."""

    def get_deletion_widget(self):
        return forms.CheckboxInput()

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Place")
        form.fields["ORDER"].widget.attrs["min"] = 1
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = _("Remove it")

    def rows(self, known: set[str]) -> list[dict]:
        rows = [form.row() for form in self.ordered_forms if form.cleaned_data.get("name")]
        return [row if row["key"] in known else row | {"key": ""} for row in rows]

    def clean(self):
        kept = [
            form
            for form in self.forms
            if hasattr(form, "cleaned_data") and not form.cleaned_data.get("DELETE")
        ]
        for field in ("name", "key"):
            said = [form.cleaned_data[field] for form in kept if form.cleaned_data.get(field)]
            if len(said) != len(set(said)):
                raise forms.ValidationError(_("Two rows have the same name."))


ROW_FORMS = {"rubric": CriterionForm, "span_labels": MarkForm}


def rows_form(part: str):
    """The formset of one of the schema's lists."""
    return forms.formset_factory(
        ROW_FORMS.get(part, NamedRowForm),
        formset=_Rows,
        extra=1,
        can_delete=True,
        can_order=True,
        max_num=MOST_ROWS,
        validate_max=True,
        absolute_max=MOST_ROWS + 10,
    )


# --- other schemas, proposals ---------------------------------------------------------------------


class NewSchemaForm(forms.Form):
    name = forms.SlugField(
        label=gettext_lazy("Name of the new schema"),
        max_length=50,
        help_text=gettext_lazy(
            "Lower-case letters, digits and hyphens. It begins as a copy of this one."
        ),
    )


class ProposalForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    meaning = forms.CharField(
        label=gettext_lazy("What it means, and what it would help with"),
        max_length=LONGEST_MEANING,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AnswerForm(forms.Form):
    """A lead's answer to a proposal: merged into a category, or declined, with a word to who proposed it."""

    into = forms.ChoiceField(label=gettext_lazy("It belongs to"), required=False)
    answer = forms.CharField(
        label=gettext_lazy("Your word to them"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, schema, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = [
            ("", _("no category: decline it")),
            *((c["key"], c["name"]) for c in schema.categories),
        ]
