"""What the discussion of an item is drawn from, on whichever page it stands: the comments, who can be named, the form."""

from django import forms
from django.utils.translation import gettext_lazy

from annotation import discussion
from feedbackhub.accounts.models import User


class CommentForm(forms.Form):
    """A comment, and the people ticked or picked in it."""

    text = forms.CharField(
        max_length=discussion.LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    mentions = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(), required=False, to_field_name="public_id"
    )

    def __init__(self, *args, readers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["mentions"].queryset = User.objects.filter(pk__in=[r.pk for r in readers])


def around(request, found, form=None) -> dict:
    """What the discussion part shows. Whoever is shown it has read it."""
    comments = list(
        found.comments.select_related("author").prefetch_related("mentions__user").order_by("pk")
    )
    discussion.note_reading(item=found, reader=request.user)
    picked = set(form.data.getlist("mentions")) if form else set()
    return {
        "comments": [
            {
                "comment": each,
                "mentions": [mention.user for mention in each.mentions.all()],
                "is_new": any(
                    mention.user_id == request.user.pk and mention.read_at is None
                    for mention in each.mentions.all()
                ),
            }
            for each in comments
        ],
        "readers": [
            {"user": user, "is_picked": str(user.public_id) in picked}
            for user in discussion.readers_of(found)
            if user != request.user
        ],
        "comment_form": form,
        "longest": discussion.LONGEST,
    }
