"""What a person picked out to judge: items in an order of their own. Import it from `annotation.models`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from feedbackhub.accounts.models import ProjectModel, User
from feedbackhub.ids import make_public_id


class ReviewSelection(ProjectModel):
    """The items that one person picked out of a list, in the order of that list. One per person and project."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    item_ids = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="reviewselection_one"),
        ]

    def __str__(self):
        return f"{len(self.item_ids)} items of {self.user_id}"
