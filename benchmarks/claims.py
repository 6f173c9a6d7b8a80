"""Claim and submit, beside what PostgreSQL gives at best: ``make bench ARGS=claims``.

Three questions:

1. Does rule 3 hold? 8 threads make up to 500 claims each on 1,000 items of overlap 1, then of overlap 2, and submit each.
   No slot may be given twice, none may be lost. Otherwise the run fails.
2. How fast is it? 10 experts claim and submit, beside a bare loop over psycopg that takes a row with SKIP LOCKED, then
   writes one judgement: the same threads and processes on the same machine.
3. Does a claim cost the same among 1,000,000 items as among 20,000, and for somebody who is 10,000 items ahead of the
   others in a queue of overlap 2?
"""

import multiprocessing
import statistics
import threading
import time
from contextlib import contextmanager

import django

from benchmarks.house import percentile, say

SLOTS_HELD_TWICE = """
SELECT count(*) FROM annotation_assignment one JOIN annotation_assignment two
    ON one.item_id = two.item_id AND one.id < two.id AND (one.slot = two.slot OR one.expert_id = two.expert_id)
"""
ITEMS_NOT_FULL = """
SELECT count(*) FROM annotation_reviewitem item
 WHERE item.state <> 'settled' OR item.taken_count <> item.overlap
    OR item.overlap <> (SELECT count(*) FROM annotation_annotation given
                         WHERE given.item_id = item.id AND given.is_current)
"""
BARE_TABLES = """
CREATE TABLE bare_item (id bigserial PRIMARY KEY, priority int NOT NULL, state text NOT NULL, body text NOT NULL);
CREATE INDEX bare_next ON bare_item (priority DESC, id) WHERE state = 'waiting';
CREATE TABLE bare_hold (item_id bigint PRIMARY KEY REFERENCES bare_item, expert_id bigint NOT NULL, state text NOT NULL);
CREATE TABLE bare_answer (id bigserial PRIMARY KEY, item_id bigint NOT NULL REFERENCES bare_item, body jsonb NOT NULL);
"""
BARE_ITEMS = """
INSERT INTO bare_item (priority, state, body)
SELECT 0, 'waiting', repeat('x', 600) FROM generate_series(1, %s)
"""
BARE_CLAIM = """
WITH next AS (
    SELECT id, body FROM bare_item WHERE state = 'waiting' ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE bare_item item SET state = 'in_review' FROM next WHERE item.id = next.id RETURNING item.id, item.body
), held AS (
    INSERT INTO bare_hold (item_id, expert_id, state) SELECT id, %s, 'claimed' FROM taken
)
SELECT id, body FROM taken
"""
BARE_SUBMIT = [
    "UPDATE bare_hold SET state = 'submitted' WHERE item_id = %s AND state = 'claimed'",
    """INSERT INTO bare_answer (item_id, body) VALUES (%s, '{"verdict": "wrong", "severity": "low"}')""",
    "UPDATE bare_item SET state = 'settled' WHERE id = %s",
]
ITEMS, THREADS, CLAIMS = 1_000, 8, 500  # of the first question
EXPERTS, PROCESSES, PAIRS = 10, 2, 300  # of the second: each expert's claims and submits
FEW, MANY, AHEAD = 20_000, 1_000_000, 10_000  # of the third


def run() -> None:
    has_held = [hold(overlap) for overlap in (1, 2)]
    compare()
    grow()
    if not all(has_held):
        raise SystemExit("rule 3 is broken")


# --- 1. does it hold ------------------------------------------------------------------------------


def hold(overlap) -> bool:
    project, queue = furnish(f"hold-{overlap}", ITEMS, overlap)
    experts = people(project, THREADS)
    started = time.perf_counter()
    results = side_by_side([lambda e=expert: work(queue, e, CLAIMS) for expert in experts])
    seconds = time.perf_counter() - started
    made = sum(len(claims) for claims, _submits in results)
    expected = min(ITEMS * overlap, THREADS * CLAIMS)
    doubles = one(SLOTS_HELD_TWICE)
    unfinished = one(ITEMS_NOT_FULL) if made == ITEMS * overlap else 0
    lost = expected - made + unfinished
    say(
        f"{THREADS} threads × {CLAIMS} claims, {ITEMS} items, overlap {overlap}",
        f"{made} of {expected}, {doubles} doubles, {lost} lost; {made / seconds:.0f} pairs/s",
        "0 doubles, 0 lost",
        not doubles and not lost,
    )
    empty()
    return not doubles and not lost


# --- 2. how fast ----------------------------------------------------------------------------------


def compare() -> None:
    from django.db import connection

    pairs = EXPERTS * PAIRS
    project, queue = furnish("speed", pairs + 200, overlap=1)
    experts = [expert.pk for expert in people(project, EXPERTS)]
    warm_up(queue, experts)
    ours = in_processes(our_share, queue.pk, experts)
    empty()
    with connection.cursor() as cursor:
        cursor.execute(BARE_TABLES)
        cursor.execute(BARE_ITEMS, [pairs + 200])
    bare = in_processes(bare_share, None, experts)
    say(f"bare psycopg, {EXPERTS} in {PROCESSES} processes", bare.in_words(), "(the limit)")
    ratio = ours.rate / bare.rate
    say(
        f"claim + submit, {EXPERTS} experts",
        f"{ours.in_words()} = {ratio:.2f} × bare",
        "≥ 0.4 × bare",
        ratio >= 0.4,
    )
    tail = ours.p95_claim / bare.p95_claim
    say("claim p95", f"{ours.p95_claim:.1f} ms = {tail:.1f} × bare", "≤ 3 × bare", tail <= 3)


class Timings:
    def __init__(self, claims, submits, seconds):
        self.claims, self.submits = claims, submits
        self.rate = len(submits) / seconds
        self.p95_claim = percentile(claims, 0.95)

    def in_words(self) -> str:
        return (
            f"{self.rate:.0f} pairs/s; claim p50 {percentile(self.claims, 0.5):.1f} "
            f"p95 {self.p95_claim:.1f}, submit p50 {percentile(self.submits, 0.5):.1f} "
            f"p95 {percentile(self.submits, 0.95):.1f} ms"
        )


def in_processes(share, queue_id, experts) -> Timings:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES + 1), context.Queue()
    processes = [
        context.Process(
            target=share, args=(barrier, results, queue_id, experts[n::PROCESSES], PAIRS)
        )
        for n in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    gathered = [results.get() for _ in processes]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    claims = [each for shared in gathered for mine, _ in shared for each in mine]
    submits = [each for shared in gathered for _, mine in shared for each in mine]
    return Timings(claims, submits, seconds)


def our_share(barrier, results, queue_id, expert_ids, pairs):
    django.setup()
    from annotation.models import ReviewQueue
    from feedbackhub.accounts.models import User

    queue = ReviewQueue.objects.select_related("project").get(pk=queue_id)
    experts = list(User.objects.filter(pk__in=expert_ids))
    barrier.wait()
    results.put(side_by_side([lambda e=expert: work(queue, e, pairs) for expert in experts]))


def bare_share(barrier, results, _queue_id, expert_ids, pairs):
    django.setup()
    barrier.wait()
    results.put(side_by_side([lambda e=expert: bare_work(e, pairs) for expert in expert_ids]))


def bare_work(expert_id, pairs):
    import psycopg
    from django.conf import settings

    claims, submits = [], []
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        for _ in range(pairs):
            with timed(claims):
                row = connection.execute(BARE_CLAIM, [expert_id]).fetchone()
            with timed(submits), connection.transaction():
                for statement in BARE_SUBMIT:
                    connection.execute(statement, [row[0]])
    return claims, submits


# --- 3. among many --------------------------------------------------------------------------------


def grow() -> None:
    medians = {}
    for count in (FEW, MANY):
        project, queue = furnish("grow", count, overlap=2)
        here, ahead = people(project, 2)
        warm_up(queue, [here.pk])
        claims, _ = work(queue, here, 300)
        medians[count] = statistics.median(claims)
        run_ahead(queue, ahead, AHEAD)
        far_claims, _ = work(queue, ahead, 100)
        say(
            f"claim among {count:,} items, overlap 2",
            f"p50 {medians[count]:.2f} ms; {AHEAD:,} items ahead of the others {statistics.median(far_claims):.2f} ms",
            "",
        )
        empty()
    ratio = medians[MANY] / medians[FEW]
    say(f"a claim among {MANY:,} to one among {FEW:,}", f"{ratio:.2f} ×", "≤ 1.3 ×", ratio <= 1.3)


def run_ahead(queue, expert, count):
    """As if this expert had judged the first `count` items of the queue."""
    execute(
        """
        INSERT INTO annotation_assignment (public_id, project_id, item_id, expert_id, state, slot, fence, draft,
               draft_revision, skip_reason, skip_note, return_reason, claimed_at, submitted_at)
        SELECT gen_random_uuid(), project_id, id, %s, 'submitted', overlap, 1, '{}', 0, '', '', '', now(), now()
          FROM annotation_reviewitem item
         WHERE queue_id = %s AND state = 'waiting' AND taken_count = 0 ORDER BY priority DESC, id LIMIT %s
        """,
        [expert.pk, queue.pk, count],
    )
    execute(
        "UPDATE annotation_reviewitem item SET taken_count = taken_count + 1 WHERE id IN "
        "(SELECT item_id FROM annotation_assignment WHERE expert_id = %s)",
        [expert.pk],
    )
    execute("ANALYZE annotation_assignment, annotation_reviewitem", [])


# --- what all of them do --------------------------------------------------------------------------


def work(queue, expert, most):
    """Claim and submit until nothing is left or `most` are done; milliseconds of each claim and each submit."""
    from annotation import annotating, review_queue

    claims, submits = [], []
    while len(claims) < most:
        with timed(claims):
            assignment = review_queue.claim_next(project=queue.project, expert=expert, queue=queue)
        if assignment is None:
            claims.pop()
            break
        with timed(submits):
            annotating.submit_annotation(
                assignment=assignment,
                fence=assignment.fence,
                revision=0,
                submit_key=f"{assignment.pk}",
                verdict="wrong",
                severity="low",
                categories=["outdated"],
            )
    return claims, submits


@contextmanager
def timed(into):
    started = time.perf_counter()
    yield
    into.append((time.perf_counter() - started) * 1_000)


def side_by_side(functions):
    results = [None] * len(functions)

    def run(place, function):
        from django.db import connections

        try:
            results[place] = function()
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(place, function))
        for place, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def furnish(slug, count, overlap):
    """A project with `count` items waiting in one queue, made inside the database."""
    from annotation.default_rules import install_defaults
    from feedbackhub.accounts.models import Project

    project = Project.objects.create(slug=slug, name=slug)
    queue = install_defaults(project)
    queue.overlap, queue.held_ahead = overlap, 10
    queue.save()
    execute(
        """
        INSERT INTO capture_interaction (public_id, project_id, external_id, body_hash, session_id, user_hash,
               user_role, user_region, environment, feature, model, model_version, model_parameters, retrieval_index,
               retrieval_version, messages, output, is_fallback, tags, metadata, trace_url, redaction_counts,
               is_sampled, occurred_at, received_at)
        SELECT gen_random_uuid(), %s, 'chat/' || n, '\\x00', '', '', '', '', '', 'tax_help', 'lumen-2', '', '{}', '',
               '', '[{"role": "user", "content": "Can I deduct my bicycle?"}]', repeat('You can. ', 20), false, '{}',
               '{}', '', '{}', false, now(), now()
          FROM generate_series(1, %s) n
        """,
        [project.pk, count],
    )
    execute(
        """
        INSERT INTO annotation_reviewitem (public_id, project_id, queue_id, interaction_id, purpose, round, state,
               overlap, taken_count, priority, reason, needs_discussion, created_at)
        SELECT gen_random_uuid(), project_id, %s, id, 'label', 1, 'waiting', %s, 0, (id %% 5) * 10, 'sample', false,
               now()
          FROM capture_interaction WHERE project_id = %s
        """,
        [queue.pk, overlap, project.pk],
    )
    execute("VACUUM ANALYZE", [])
    return project, queue


def people(project, count):
    from feedbackhub.accounts.models import Membership, User

    experts = []
    for n in range(count):
        expert = User.objects.create(email=f"{project.slug}-{n}@example.com", name=f"Expert {n}")
        Membership.objects.create(project=project, user=expert, roles=["expert"])
        experts.append(expert)
    return experts


def warm_up(queue, expert_ids):
    from feedbackhub.accounts.models import User

    work(queue, User.objects.get(pk=expert_ids[0]), 20)


def execute(statement, values):
    """Without triggers and foreign keys: millions of rows in seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = origin")


def one(statement):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def empty():
    execute("TRUNCATE accounts_project, accounts_user CASCADE", [])
