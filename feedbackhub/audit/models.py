"""The seals over the audit trail. The trail itself is the pghistory event table beside each tracked model."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class Seal(models.Model):
    """A link of the hash chain: everything a batch of audit rows said, and the link before it."""

    table = models.CharField(max_length=100)  # the event table
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    row_count = models.PositiveIntegerField()
    columns = ArrayField(  # that the rows had then; none: from before they were kept (`chain`)
        models.CharField(max_length=63), default=list, db_default=[]
    )
    digest = models.BinaryField(max_length=32)  # SHA-256 over the previous digest and the rows
    sealed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "last_id"], name="seal_once")]

    def __str__(self):
        return f"{self.table} {self.first_id}–{self.last_id}"
