"""Choosing an open queue in a form."""

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy

from annotation.models import ReviewQueue


class QueueChoice(forms.ModelChoiceField):
    """By its slug; the form says of which project once it knows (`of_project`)."""

    def __init__(self):
        super().__init__(
            label=gettext_lazy("Queue"), queryset=None, empty_label=None, to_field_name="slug"
        )

    def of_project(self, project) -> None:
        queues = ReviewQueue.objects.for_project(project).filter(is_open=True)
        self.queryset = queues.select_related("project").order_by("name")

    def to_python(self, value):
        ProhibitNullCharactersValidator()(value)  # the database is asked next, and takes none
        return super().to_python(value)
