"""The queue: claim the next item, hold it on a lease, give it back, pass it on."""


def claim_next(*, project, expert, queue=None):
    """The next item for this expert as a claimed `Assignment` (item, interaction and queue loaded), or None.

    In this order: what they fetched ahead, what came back to them (returned by a lead, or expired, draft kept, new
    fence), the highest priority of the queues they belong to (or of `queue`). Raises ClaimRefused.
    """
    raise NotImplementedError


def reserve_ahead(*, project, expert, queue=None, count=2):
    """Fetch up to `count` items ahead on a short lease: a list of `reserved` assignments, those already held first."""
    raise NotImplementedError


def take_up(*, assignment, fence):
    """Turn a reserved assignment into a claimed one (same fence, full lease). Raises LeaseLost."""
    raise NotImplementedError


def resume(*, assignment):
    """Take an own expired or returned assignment up again: new fence, draft kept. Raises LeaseLost when the slot is gone."""
    raise NotImplementedError


def heartbeat(*, assignment, fence):
    """Extend the lease (and the expert's reservations in this queue); answers the new end. Raises LeaseLost."""
    raise NotImplementedError


def release(*, assignment, fence):
    """Give the item back without a word; its draft is kept, one may resume. Raises LeaseLost."""
    raise NotImplementedError


def skip(*, assignment, fence, reason, note=""):
    """Pass the item on; `reason` is an Assignment.SkipReason, each goes somewhere else. Raises LeaseLost."""
    raise NotImplementedError


def return_assignment(*, assignment, by, reason):
    """A lead sends a judgement back to its expert; it no longer counts. Raises WrongState."""
    raise NotImplementedError


def reopen_item(*, item, by, reason):
    """A lead opens a settled, disputed or dismissed item again. Raises WrongState."""
    raise NotImplementedError


def dismiss_item(*, item, by, reason):
    """A lead takes an item out of the queue unjudged. Raises WrongState."""
    raise NotImplementedError


def flag_interaction(*, interaction, queue, by=None, reason="", priority=0):
    """Put an interaction into a queue by hand; answers the item (`item.is_new` says whether it was made now)."""
    raise NotImplementedError


def expire_leases():
    """Free the slots of leases that are over; answers how many. The sweep calls it."""
    raise NotImplementedError
