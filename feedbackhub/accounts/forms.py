"""The forms of people, members and keys."""

from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from feedbackhub.accounts.models import ApiKey, User
from feedbackhub.accounts.permissions import Role, Scope


class RolesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs):
        kwargs.setdefault("label", _("Roles"))
        super().__init__(choices=Role.choices, **kwargs)


class AddMemberForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    roles = RolesField()


class ChangeRolesForm(forms.Form):
    roles = RolesField()


class AddApiKeyForm(forms.Form):
    name = forms.CharField(
        label=_("What uses it"), max_length=80, help_text=_("For instance: production web app.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (ApiKey.Kind.SECRET, _("Secret, for servers")),
            (ApiKey.Kind.PUBLIC, _("Public, for browsers: may only send feedback")),
        ],
        initial=ApiKey.Kind.SECRET,
        widget=forms.RadioSelect,
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=Scope.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    origins = forms.CharField(
        label=_("From these origins"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Public keys only. One a line, like https://app.example.com"),
    )

    def clean_origins(self):
        origins = self.cleaned_data["origins"].split()
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("https", "http")
                or not parts.hostname
                or parts.path not in ("", "/")
            ):
                raise ValidationError(_("%(origin)s is not an origin.") % {"origin": origin})
        return [origin.rstrip("/") for origin in origins]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("kind") == ApiKey.Kind.PUBLIC:
            cleaned["scopes"] = []
            if not cleaned.get("origins") and "origins" not in self.errors:
                self.add_error("origins", _("Say where the browser widget runs."))
        elif not cleaned.get("scopes"):
            self.add_error("scopes", _("Choose at least one."))
        return cleaned


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name", "time_zone", "wants_digest"]
        labels = {
            "name": _("Name"),
            "time_zone": _("Time zone"),
            "wants_digest": _("Mail me in the morning what waits for me"),
        }
        help_texts = {
            "wants_digest": _("At most one mail a day and project, and none when nothing waits.")
        }
