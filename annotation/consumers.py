"""What annotation does when it hears of something."""

from annotation import splits
from feedbackhub.capture.models import NearDuplicateGroup
from feedbackhub.outbox import consumer


@consumer("near_duplicates_merged")
def unite_splits(event):
    """A merged group has one split, the strictest."""
    group = NearDuplicateGroup.objects.filter(pk=event.about["group_id"]).first()
    if group:
        splits.unite(group)
