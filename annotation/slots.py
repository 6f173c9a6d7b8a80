"""The slots of an item: how one is taken, freed and counted under concurrency.

An item has `overlap` slots; an assignment that is reserved, claimed or submitted takes one of them. Three things keep
that true under any number of threads: whoever changes an item's slots holds the item's row lock, `taken_count` on that
row says how many are taken, and a unique index on (item, slot) has the last word.

Locks are always taken in one order: outbox event, membership, interaction, item, assignment.
"""

from django.db import connection
from django.utils import timezone

from annotation.leases import RESERVED_MINUTES
from annotation.models import Assignment, ReviewItem
from annotation.queries import midnight_of
from feedbackhub.ids import make_public_id
from feedbackhub.prepared import rows_of

LOOK = 50  # begun items looked at before fresh ones are preferred

# The queues that this expert judges in and may take another item of. A day's cap counts what was first answered today and
# what is held for it (`review_queue._doors` counts the same); a revision of yesterday's answer is none of today's.
_OPEN_QUEUES = """
WITH open_queue AS (
    SELECT queue.id, queue.lease_minutes
      FROM annotation_reviewqueue queue
      LEFT JOIN annotation_queuemember mine ON mine.queue_id = queue.id AND mine.user_id = %(expert)s
     WHERE queue.project_id = %(project)s
       AND queue.is_open
       AND (%(queue)s::bigint IS NULL OR queue.id = %(queue)s)
       AND NOT EXISTS (SELECT FROM annotation_queuepause pause
                        WHERE pause.queue_id = queue.id AND pause.user_id = %(expert)s)
       AND (mine.id IS NOT NULL
            OR NOT EXISTS (SELECT FROM annotation_queuemember other WHERE other.queue_id = queue.id))
       AND (%(is_at_once)s OR queue.held_ahead > (
           SELECT count(*)
             FROM annotation_assignment held
             JOIN annotation_reviewitem item ON item.id = held.item_id
            WHERE held.expert_id = %(expert)s AND held.project_id = %(project)s
              AND held.state IN ('reserved', 'claimed') AND item.queue_id = queue.id))
       AND (queue.daily_cap IS NULL OR queue.daily_cap > (
           SELECT count(*)
             FROM annotation_assignment today
             JOIN annotation_reviewitem item ON item.id = today.item_id
             LEFT JOIN annotation_annotation answer ON answer.assignment_id = today.id AND answer.revision = 1
            WHERE today.expert_id = %(expert)s AND today.project_id = %(project)s
              AND (today.state IN ('reserved', 'claimed')
                   OR (today.state = 'submitted' AND today.submitted_at >= %(midnight)s))
              AND (answer.id IS NULL OR answer.created_at >= %(midnight)s)
              AND item.queue_id = queue.id))
), """

# Next in line: highest priority first, begun ones before fresh ones.
#
# Fresh items (no slot taken) and begun ones lie in two partial indexes, so that both are found by reading a few index
# entries however many items there are. An expert's own begun items stand at the front of theirs: the look stops after
# `look` of them, so that somebody who ran far ahead of the others does not read all their own work again for each
# claim. Only when nothing is left otherwise is the whole list read (`look` null).
_NEXT_IN_LINE = """candidate AS MATERIALIZED (
    SELECT found.*, open_queue.lease_minutes
      FROM open_queue
     CROSS JOIN LATERAL (
        (SELECT item.id, item.priority, false AS is_begun
           FROM annotation_reviewitem item
          WHERE item.queue_id = open_queue.id AND item.state = 'waiting' AND item.taken_count = 0
            AND item.purpose NOT IN ('calibration', 'repeat')
            AND NOT EXISTS (SELECT FROM annotation_assignment had
                             WHERE had.item_id = item.id AND had.expert_id = %(expert)s)
          ORDER BY item.priority DESC, item.id
          LIMIT 16)
        UNION ALL
        (SELECT begun.id, begun.priority, true
           FROM (SELECT item.id, item.priority
                   FROM annotation_reviewitem item
                  WHERE item.queue_id = open_queue.id AND item.state = 'waiting' AND item.taken_count > 0
                    AND item.purpose NOT IN ('calibration', 'repeat')
                  ORDER BY item.priority DESC, item.id
                  LIMIT %(look)s) begun
          WHERE NOT EXISTS (SELECT FROM annotation_assignment had
                             WHERE had.item_id = begun.id AND had.expert_id = %(expert)s)
          ORDER BY begun.priority DESC, begun.id
          LIMIT 16)
     ) found
), """

# The next of these items, in the order in which they are named.
_NEXT_OF_NAMED = """candidate AS MATERIALIZED (
    SELECT item.id, -named.place AS priority, false AS is_begun, open_queue.lease_minutes
      FROM unnest(%(items)s::bigint[]) WITH ORDINALITY named (id, place)
      JOIN annotation_reviewitem item ON item.id = named.id
      JOIN open_queue ON open_queue.id = item.queue_id
     WHERE item.state = 'waiting' AND item.purpose NOT IN ('calibration', 'repeat')
       AND NOT EXISTS (SELECT FROM annotation_assignment had
                        WHERE had.item_id = item.id AND had.expert_id = %(expert)s)
), """

_TAKE = """chosen AS (
    SELECT item.id, candidate.lease_minutes
      FROM candidate
      JOIN annotation_reviewitem item ON item.id = candidate.id
     WHERE item.state = 'waiting'
     ORDER BY candidate.priority DESC, candidate.is_begun DESC, candidate.id
     LIMIT 1
       FOR NO KEY UPDATE OF item SKIP LOCKED
), taken AS (
    UPDATE annotation_reviewitem item
       SET taken_count = item.taken_count + 1,
           state = CASE WHEN item.taken_count + 1 < item.overlap THEN 'waiting' ELSE 'in_review' END
      FROM chosen
     WHERE item.id = chosen.id
    RETURNING item.id, item.project_id, item.overlap, chosen.lease_minutes
), made AS (
    INSERT INTO annotation_assignment
           (public_id, project_id, item_id, expert_id, state, slot, fence, lease_until, heartbeat_at,
            draft, draft_revision, skip_reason, skip_note, return_reason, claimed_at)
    SELECT %(public_id)s, taken.project_id, taken.id, %(expert)s, %(state)s, free.slot, 1,
           %(now)s + make_interval(mins => coalesce(%(minutes)s, taken.lease_minutes)), %(now)s,
           '{}', 0, '', '', '', %(now)s
      FROM taken
     CROSS JOIN LATERAL (
        SELECT min(slot) AS slot
          FROM generate_series(1, taken.overlap) slot
         WHERE NOT EXISTS (SELECT FROM annotation_assignment live
                            WHERE live.item_id = taken.id AND live.slot = slot.slot
                              AND live.state IN ('reserved', 'claimed', 'submitted'))) free
    RETURNING id
)
SELECT (SELECT id FROM made), EXISTS (SELECT FROM candidate)
"""

CLAIM = _OPEN_QUEUES + _NEXT_IN_LINE + _TAKE
CLAIM_NAMED = _OPEN_QUEUES + _NEXT_OF_NAMED + _TAKE

COUNT_SLOTS = """
UPDATE annotation_reviewitem item
   SET taken_count = live.taken,
       state = CASE WHEN item.state NOT IN ('waiting', 'in_review') THEN item.state
                    WHEN live.taken < item.overlap THEN 'waiting' ELSE 'in_review' END
  FROM (SELECT counted.id,
               (SELECT count(*) FROM annotation_assignment live
                 WHERE live.item_id = counted.id
                   AND live.state IN ('reserved', 'claimed', 'submitted')) AS taken
          FROM unnest(%s::bigint[]) AS counted (id)) live
 WHERE item.id = live.id
"""


def take_next(
    *, project, expert, queue, state, items=None, is_at_once=False
) -> tuple[int | None, bool]:
    """Take a slot of the next item (`items`: of these, by id, in their order): (the new assignment's id or None, whether
    there was anything to take).

    `is_at_once`: it is handed in within this transaction, so that it does not count as held.

    (None, True): all of it is in other hands at this instant. Raises IntegrityError when another expert took the slot
    between our look and our lock: look again.
    """
    for look in (LOOK, None) if items is None else (None,):
        values = {
            "project": project.pk,
            "expert": expert.pk,
            "queue": queue.pk if queue else None,
            "state": str(state),
            "minutes": RESERVED_MINUTES if state == Assignment.State.RESERVED else None,
            "public_id": make_public_id(),
            "now": timezone.now(),
            "is_at_once": is_at_once,
            "midnight": midnight_of(expert),
        }
        values |= {"look": look} if items is None else {"items": list(items)}
        statement = CLAIM if items is None else CLAIM_NAMED
        ((assignment_id, has_candidates),) = rows_of(statement, values)
        if has_candidates:
            break
    return assignment_id, has_candidates


def lock_item(item_id: int, *, skip_locked: bool = False) -> ReviewItem | None:
    """The item with its row locked until the transaction ends; None when it is in other hands (`skip_locked`)."""
    return (
        ReviewItem.objects.select_for_update(no_key=True, skip_locked=skip_locked, of=("self",))
        .select_related("queue", "project")
        .filter(pk=item_id)
        .first()
    )


def lock_item_and_interaction(item_id: int) -> ReviewItem:
    """The item with its interaction and queue; both rows locked, the parent first.

    What judging does not look at is left in the database: wide rows cost more here than the locks.
    """
    return (
        ReviewItem.objects.select_for_update(no_key=True, of=("interaction", "self"))
        .select_related("queue", "interaction", "project")
        .only(
            "project__id",
            "queue__project",
            "queue__schema_name",
            "queue__lease_minutes",
            "queue__overlap",
            "queue__consensus",
            "queue__on_tie",
            "interaction__project",
            "interaction__messages",
            "interaction__output",
            "interaction__erased_at",
            "purpose",
            "state",
            "overlap",
            "taken_count",
            "settled_at",
        )
        .get(pk=item_id)
    )


def free_slot(item: ReviewItem) -> int | None:
    """The lowest slot of a locked item that nobody holds."""
    taken = set(
        item.assignments.filter(state__in=Assignment.LIVE_STATES).values_list("slot", flat=True)
    )
    return next((slot for slot in range(1, item.overlap + 1) if slot not in taken), None)


def count_slots(*item_ids: int) -> None:
    """Bring locked items into line with their assignments: how many slots are taken, and whether one is free."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SLOTS, [list(item_ids)])
