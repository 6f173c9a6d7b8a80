"""Rows about the people who judge: who is paused where, who was mentioned in a discussion, what each has looked at.

Import them from `annotation.models`.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models import ItemComment, ReviewQueue
from feedbackhub.accounts.models import ProjectForeignKey, ProjectModel, User, same_project
from feedbackhub.audit.tracking import tracked


@tracked("queue", "user", "paused_by")
class QueuePause(ProjectModel):
    """An expert gets no items of this queue for now, be they named there or the queue everybody's."""

    queue = ProjectForeignKey(ReviewQueue, on_delete=models.CASCADE, related_name="pauses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    paused_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True)  # the expert reads it
    paused_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            *same_project("queuepause", "queue"),
            models.UniqueConstraint(fields=["queue", "user"], name="queuepause_once"),
        ]

    def __str__(self):
        return f"{self.user_id} paused in {self.queue_id}"


class Mention(ProjectModel):
    """Somebody named in a comment, who has not seen it until `read_at`."""

    comment = ProjectForeignKey(ItemComment, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            *same_project("mention", "comment"),
            models.UniqueConstraint(fields=["comment", "user"], name="mention_once"),
        ]
        indexes = [
            models.Index(
                fields=["user", "project", "-id"],
                condition=Q(read_at=None),
                name="mention_unread",
            )
        ]

    def __str__(self):
        return f"{self.user_id} in {self.comment_id}"


class Attention(ProjectModel):
    """Up to where one member has looked, and the day for which their digest was made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    decisions_seen_at = models.DateTimeField(null=True)  # leads' decisions up to then were seen
    digested_on = models.DateField(null=True)  # the member's own day

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="attention_once")]

    def __str__(self):
        return f"{self.user_id} in {self.project_id}"
