"""Judgements that people gave elsewhere come in as annotations of as many people.

They are voices like any other: as many as say something make the item's overlap, then the item is settled or disputed by
the same rules, and harm is told. A person who is no member stands in the house as a name without a way to sign in. What
they rated in words of their own is kept as it was, with its scale (`Annotation.ratings`).

The same judgement again changes nothing; another one by the same person on the same answer is refused. Notes, corrections
and names are masked before anything is stored.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotation import settling
from annotation.answers import check_answers, hash_answers
from annotation.candidates import propose_answer
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    ReviewItem,
    ReviewQueue,
    Span,
)
from annotation.refusals import InvalidAnswer
from annotation.slots import count_slots, free_slot, lock_item_and_interaction
from feedbackhub import redaction
from feedbackhub.accounts.models import User
from feedbackhub.api.strict_json import BadDocument
from feedbackhub.capture.ingest import Status
from feedbackhub.capture.models import Interaction

MOST_PEOPLE = 9  # judge one item
MOST_RATINGS = 20
SUBMIT_KEY = "import"
LONGEST = 200
SAID = (
    "verdict", "severity", "categories", "root_cause", "rubric_scores", "spans", "correction", "note", "confidence",
    "seconds_spent",
)  # fmt: skip
KNOWN = {"interaction_id", "queue", "person", "ratings", "source", "judged_at", *SAID}


@dataclass
class Outcome:
    """What became of one row."""

    index: int
    status: str
    errors: list[dict] = field(default_factory=list)

    @property
    def is_stored(self) -> bool:
        return self.status in (Status.ACCEPTED, Status.DUPLICATE)


class _Refused(Exception):
    def __init__(self, status, *errors: tuple[str, str]):
        self.status = status
        self.errors = [{"field": name, "message": message} for name, message in errors]


def import_judgements(*, project, rows: Iterable[tuple[int, dict]]) -> list[Outcome]:
    """Keep judgements, `(index, body)` each; answers what became of them, in order.

    Those of one answer in one queue come in together: one transaction, settled once.
    """
    house = _House(project)
    outcomes, together = [], defaultdict(list)
    for index, body in rows:
        try:
            place = house.place(body)
        except _Refused as refused:
            outcomes.append(Outcome(index, refused.status, refused.errors))
        else:
            together[place].append((index, body))
    for (interaction, queue), given in together.items():
        outcomes += _import_item(house, interaction, queue, given)
    return sorted(outcomes, key=lambda outcome: outcome.index)


@transaction.atomic
def _import_item(house, interaction, queue, given) -> list[Outcome]:
    """A row that is refused leaves the others alone; where none was kept, no item is made."""
    item, is_new = ReviewItem.objects.get_or_create(
        queue=queue,
        interaction=interaction,
        purpose=ReviewItem.Purpose.LABEL,
        round=1,
        project=house.project,
        defaults={"overlap": queue.overlap, "reason": "judged elsewhere"},
    )
    item = lock_item_and_interaction(item.pk)
    outcomes, made = [], []
    for index, body in given:
        try:
            with transaction.atomic():
                annotation = _import_one(house, item, body)
        except _Refused as refused:
            outcomes.append(Outcome(index, refused.status, refused.errors))
        else:
            outcomes.append(Outcome(index, Status.ACCEPTED if annotation else Status.DUPLICATE))
            made += [annotation] if annotation else []
    if made:
        count_slots(item.pk)
        harms = [("harm_found", _harm(each, item)) for each in made if each.is_harm]
        settling.reconsider(item, news=harms)
    elif is_new:
        transaction.set_rollback(True)
    return outcomes


def _import_one(house, item, body) -> Annotation | None:
    """The new annotation; None when the very same was imported before."""
    if item.state == ReviewItem.State.DISMISSED or item.interaction.erased_at:
        raise _Refused(Status.CONFLICT, ("interaction_id", "This was taken out of its queue."))
    schema = house.schema(item.queue)
    said = house.read(body, schema, item.interaction)
    ratings = house.ratings(body)
    submit_hash = hash_answers({**said, "ratings": ratings})
    person = house.person(body["person"])
    had = Assignment.objects.filter(item=item, expert=person).first()
    if had:
        kept = had.annotations.current().first()
        if kept and kept.submit_key == SUBMIT_KEY and bytes(kept.submit_hash) == submit_hash:
            return None
        raise _Refused(Status.CONFLICT, ("person", "This person has judged this answer already."))
    spans, correction = said.pop("spans"), said.pop("correction")
    now = house.judged_at(body)
    assignment = Assignment.objects.create(
        project_id=item.project_id,
        item=item,
        expert=person,
        slot=_slot(item),
        state=Assignment.State.SUBMITTED,
        claimed_at=now,
        submitted_at=now,
    )
    settling.freeze(schema)
    annotation = Annotation.objects.create(
        project_id=item.project_id,
        assignment=assignment,
        item=item,
        schema=schema,
        expert=person,
        submit_key=SUBMIT_KEY,
        submit_hash=submit_hash,
        ratings=ratings,
        imported_from=house.mask(body.get("source", "") or "import")[:80],
        created_at=now,
        final_at=timezone.now(),
        **said,
    )
    Span.objects.bulk_create(
        Span(project_id=item.project_id, annotation=annotation, **span) for span in spans
    )
    if correction:
        propose_answer(
            interaction=item.interaction,
            text=correction,
            source=CandidateAnswer.Source.EXPERT,
            author_id=person.pk,
            item=item,
            annotation=annotation,
        )
    return annotation


def _slot(item) -> int:
    """A free place, or one more: as many people as judged make the overlap."""
    slot = free_slot(item)
    if slot is None:
        if item.overlap == MOST_PEOPLE:
            message = f"At most {MOST_PEOPLE} people judge one answer."
            raise _Refused(Status.CONFLICT, ("person", message))
        slot = item.overlap = item.overlap + 1
        ReviewItem.objects.filter(pk=item.pk).update(overlap=slot)
    return slot


def _harm(annotation, item) -> dict:
    return {
        "interaction_id": item.interaction_id,
        "item_id": item.pk,
        "annotation_id": annotation.pk,
        "source": "expert",
        "severity": annotation.severity,
    }


class _House:
    """What rows name, looked up once: queues, schemas, people; and the project's redaction."""

    def __init__(self, project):
        self.project = project
        kinds = project.redaction_kinds
        self._kinds = None if kinds is None else frozenset(kinds)
        self._queues = {queue.slug: queue for queue in ReviewQueue.objects.for_project(project)}
        self._schemas, self._people = {}, {}

    def place(self, body) -> tuple[Interaction, ReviewQueue]:
        """Where a row belongs, and whether it is of the right shape at all."""
        if isinstance(body, BadDocument):
            raise _refusal(body.errors)
        if not isinstance(body, dict):
            raise _Refused(Status.INVALID, ("", "Send a JSON object."))
        errors = [
            (name[:80], f"There is no such field. Known: {', '.join(sorted(KNOWN))}.")
            for name in body
            if name not in KNOWN
        ]
        person = body.get("person")
        if not isinstance(person, dict) or not _is_word(person.get("id")):
            errors.append(("person.id", "Who judged? Send an id of your own for the person."))
        elif set(person) - {"id", "name", "email"}:
            errors.append(("person", "A person has an id, and maybe a name and an email."))
        elif not all(_is_word(person[name]) for name in person):
            errors.append(("person", f"Texts of 1 to {LONGEST} characters."))
        queue = self._queues.get(body["queue"]) if isinstance(body.get("queue"), str) else None
        if queue is None:
            errors.append(("queue", "There is no such queue."))
        for name, longest in (("source", 80), ("judged_at", 40)):
            word = body.get(name)
            if word is not None and (not isinstance(word, str) or len(word) > longest):
                errors.append((name, f"A text of at most {longest} characters."))
        external_id = body.get("interaction_id")
        interaction = None
        if _is_word(external_id):
            interaction = (
                Interaction.objects.kept()
                .for_project(self.project)
                .filter(external_id=external_id)
                .first()
            )
        if interaction is None:
            errors.append(("interaction_id", "There is no such interaction."))
        if errors:
            raise _Refused(Status.INVALID, *errors)
        return interaction, queue

    def schema(self, queue):
        if queue.pk not in self._schemas:
            self._schemas[queue.pk] = settling.current_schema(queue)
        return self._schemas[queue.pk]

    def read(self, body, schema, interaction) -> dict:
        """What was said, in the shape of a draft, masked. A mark may leave its quote to us."""
        given = {name: body[name] for name in SAID if name in body}
        for name in ("note", "correction"):
            if isinstance(given.get(name), str):
                given[name] = self.mask(given[name])
        if isinstance(given.get("spans"), list):
            given["spans"] = [self._span(span, interaction) for span in given["spans"]]
        given = {"verdict": "", "severity": "", **given}
        try:
            said = check_answers(schema=schema, interaction=interaction, **given)
        except InvalidAnswer as invalid:
            raise _Refused(Status.INVALID, *invalid.errors.items()) from None
        return said

    def ratings(self, body) -> list[dict]:
        """`[{"name", "value", "word", "scale"}]`, the word as it was."""
        given = body.get("ratings", [])
        if not isinstance(given, list) or len(given) > MOST_RATINGS:
            raise _Refused(Status.INVALID, ("ratings", f"A list of at most {MOST_RATINGS}."))
        ratings = []
        for place, each in enumerate(given):
            if not _is_rating(each):
                what = "A rating has a name, a value, its scale [least, most], and maybe a word."
                raise _Refused(Status.INVALID, (f"ratings[{place}]", what))
            word = self.mask(each.get("word", ""))
            ratings.append(
                {**{name: each[name] for name in ("name", "value", "scale")}, "word": word}
            )
        if len({each["name"] for each in ratings}) < len(ratings):
            raise _Refused(Status.INVALID, ("ratings", "Each name once."))
        return ratings

    def judged_at(self, body):
        word = body.get("judged_at")
        if not word:
            return timezone.now()
        try:
            found = parse_datetime(word)
        except ValueError:
            found = None
        if found is None or timezone.is_naive(found) or found > timezone.now() or found.year < 2000:
            message = "A time that has passed, like 2026-11-20T14:00:00Z."
            raise _Refused(Status.INVALID, ("judged_at", message))
        return found

    def person(self, given: dict) -> User:
        """A member by e-mail, or a name without a way to sign in: the same one for the same id in this project."""
        key = ("email", given["email"].lower()) if "email" in given else ("id", given["id"])
        if key not in self._people:
            self._people[key] = (
                self._member(given["email"]) if "email" in given else self._stranger(given)
            )
        return self._people[key]

    def mask(self, text: str) -> str:
        return redaction.redact(text, enabled=self._kinds).text

    def _member(self, email) -> User:
        user = User.objects.filter(membership__project=self.project, email__iexact=email).first()
        if user is None:
            raise _Refused(Status.INVALID, ("person.email", "No member has this address."))
        return user

    def _stranger(self, given) -> User:
        digest = hashlib.sha256(f"{self.project.pk}/{given['id']}".encode()).hexdigest()[:24]
        user, _ = User.objects.get_or_create(
            email=f"judge-{digest}@elsewhere.invalid",
            defaults={
                "name": self.mask(given.get("name") or given["id"])[:80],
                "is_active": False,
                "password": "!",  # no password fits it
            },
        )
        return user

    def _span(self, span, interaction):
        if not isinstance(span, dict):
            return span
        span = {
            name: span[name]
            for name in ("field", "start", "end", "quote", "label", "note")
            if name in span
        }
        if isinstance(span.get("note"), str):
            span["note"] = self.mask(span["note"])
        start, end = span.get("start"), span.get("end")
        if (
            "quote" not in span
            and type(start) is int
            and type(end) is int
            and span.get("field") == "output"
        ):
            span["quote"] = interaction.output[start:end]
        return span


def _refusal(errors) -> _Refused:
    return _Refused(Status.INVALID, *((each["field"], each["message"]) for each in errors))


def _is_word(value) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _is_number(value) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9


def _is_rating(each) -> bool:
    if not isinstance(each, dict) or not {"name", "value", "scale"} <= set(each) <= {
        "name",
        "value",
        "scale",
        "word",
    }:
        return False
    scale = each["scale"]
    return (
        _is_word(each["name"])
        and len(each["name"]) <= 60
        and isinstance(each.get("word", ""), str)
        and len(each.get("word", "")) <= LONGEST
        and isinstance(scale, list)
        and len(scale) == 2
        and all(map(_is_number, scale))
        and _is_number(each["value"])
        and scale[0] <= each["value"] <= scale[1]
    )
