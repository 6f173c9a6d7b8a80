"""The form of one kind of assertion: a field for each thing that it needs."""

from django import forms
from django.utils.translation import gettext_lazy

from annotation.assertions import Kind
from annotation.assertions.kinds import LONGEST, LONGEST_SCHEMA

FIELDS = {
    "texts": lambda: forms.CharField(
        label=gettext_lazy("Texts"),
        help_text=gettext_lazy("One a line. Case and blanks do not count."),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    ),
    "pattern": lambda: forms.CharField(
        label=gettext_lazy("Pattern"),
        max_length=LONGEST,
        help_text=gettext_lazy(r"A regular expression, such as \b19 ?%."),
        widget=forms.TextInput(
            attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}
        ),
    ),
    "schema": lambda: forms.CharField(
        label=gettext_lazy("JSON schema"),
        max_length=LONGEST_SCHEMA,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
    ),
    "language": lambda: forms.CharField(
        label=gettext_lazy("Language"),
        max_length=10,
        help_text=gettext_lazy("Its code: en, de, ar, pt …"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    ),
    "words": lambda: forms.IntegerField(
        label=gettext_lazy("Words at most"), min_value=1, max_value=100_000
    ),
    "documents": lambda: forms.CharField(
        label=gettext_lazy("Documents"),
        help_text=gettext_lazy("Their ids, one a line. Its title or address in the answer counts."),
        widget=forms.Textarea(attrs={"rows": 3}),
    ),
    "sentence": lambda: forms.CharField(
        label=gettext_lazy("What a good answer does"),
        max_length=LONGEST,
        help_text=gettext_lazy(
            "One sentence that is true or false of an answer. A judge reads it."
        ),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    ),
}


class AssertionForm(forms.Form):
    def __init__(self, *args, kind: Kind, **kwargs):
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name in kind.fields:
            self.fields[name] = FIELDS[name]()

    def given(self) -> dict:
        """What was written, as `annotation.assertions.tidy` takes it."""
        return {"kind": self.kind.name, **self.cleaned_data}

    def refuse(self, errors: dict[str, str]) -> None:
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)
