"""The forms of how reporters are told: when, how fast, by which words."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from feedbackhub import outbound
from feedbackhub.outbound import OutboundError
from triage import notice_words
from triage.forms import PlainTextField
from triage.models import NoticePolicy

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}")


class PolicyForm(forms.ModelForm):
    class Meta:
        model = NoticePolicy
        fields = ["when", "is_held_first", "hours_between", "per_minute", "webhook_url"]
        widgets = {"when": forms.RadioSelect}
        labels = {
            "when": _("Reporters are told"),
            "is_held_first": _("Hold every message until a lead releases it"),
            "hours_between": _("Hours between two messages to one person"),
            "per_minute": _("Messages a minute, at most"),
            "webhook_url": _("The product's webhook"),
        }
        help_texts = {
            "hours_between": _("0: none. What comes meanwhile goes as one message afterwards."),
            "per_minute": _("0: as fast as the mail server takes them."),
            "webhook_url": _(
                "Called for reporters without a mail address, so that the product tells them. "
                "Signed as Standard Webhooks say."
            ),
        }

    def clean_webhook_url(self):
        url = self.cleaned_data["webhook_url"].strip()
        if url:
            try:
                outbound.check_url(url, service=str(_("The webhook")))
            except OutboundError as refused:
                raise ValidationError(refused.message) from None
        return url


class TemplateForm(forms.Form):
    language = PlainTextField(
        label=_("Language"),
        max_length=35,
        help_text=_("A language tag: de, or pt-br. It is used for reporters who sent this locale."),
    )
    subject = PlainTextField(label=_("Subject"), max_length=150)
    body = PlainTextField(
        label=_("Message"),
        max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true"}),
    )

    def clean_language(self):
        language = self.cleaned_data["language"].strip().lower().replace("_", "-")
        if not _LANGUAGE.fullmatch(language):
            raise ValidationError(_("Write a language tag, such as de or pt-br."))
        return language

    def clean_subject(self):
        return self._checked("subject", is_body=False)

    def clean_body(self):
        return self._checked("body", is_body=True)

    def _checked(self, name, *, is_body):
        text = self.cleaned_data[name].strip()
        if faults := notice_words.faults_of(text, is_body=is_body):
            raise ValidationError(faults)
        return text
