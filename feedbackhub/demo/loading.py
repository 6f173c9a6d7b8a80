"""Loads the demo project through the code that everybody else uses: capture, routing, judging, gold, problems, fixes.

Only times are set afterwards, so that two months of work look like two months. Loading again changes nothing.
"""

import hashlib
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotation import exporting, gold, settling
from annotation.annotating import submit_annotation
from annotation.default_rules import RULES
from annotation.intake import flag_interaction
from annotation.models import (
    Annotation,
    Assignment,
    CandidateAnswer,
    QueueMember,
    ReviewItem,
    ReviewQueue,
    RoutingRule,
    Settlement,
)
from annotation.slots import count_slots, free_slot, lock_item_and_interaction
from feedbackhub.accounts.members import add_member, create_project
from feedbackhub.accounts.models import Project, User
from feedbackhub.capture import ingest
from feedbackhub.capture.models import Interaction, PromptVersion
from feedbackhub.demo import content
from feedbackhub.outbox import delivery
from feedbackhub.outbox.models import OutboxEvent
from triage import fixing, notice_words, notices, problems, verification
from triage.models import Fix, Notice, Problem

SLUG = "demo"
QUEUES = {"tax_help": "Tax help", "pharmacy": "Pharmacy", "devtool": "Developer tool"}
APPROVED_SHARE = 3 / 5  # of what could be gold; the rest waits for a lead
WORK_LEFT = 0.25  # share of gold approved after the last frozen version


def load(now: datetime | None = None) -> tuple[Project, bool]:
    """The demo project and whether it was made now."""
    known = Project.objects.filter(slug=SLUG).first()
    if known:
        return known, False
    with transaction.atomic():
        project = _Loading(now or timezone.now()).load()
    return project, True


class _Loading:
    def __init__(self, now):
        self.now = now
        self.people: dict[str, User] = {}
        self.queues: dict[str, ReviewQueue] = {}

    def load(self) -> Project:
        self.project = create_project(slug=SLUG, name="Demo: three assistants")
        self._people()
        self._queues()
        self._prompts()
        self._keep(ingest.record_interactions, content.interactions(self.now))
        self._keep(ingest.record_feedback, content.feedback(self.now))
        self.interactions = {
            row.external_id: row for row in Interaction.objects.filter(project=self.project)
        }
        self._problems()  # before harmful cases look for theirs
        _deliver()
        self._judgements()
        self._decisions()
        self._past()
        _deliver()
        self._gold()
        self._fixes()
        return self.project

    def _people(self):
        for person in content.people():
            membership, _is_new = add_member(
                project=self.project, email=person.email, name=person.name, roles=person.roles
            )
            self.people[person.key] = membership.user

    def _queues(self):
        """One queue a field, each with the default rules of its own; the general queue takes the sample."""
        RoutingRule.objects.filter(project=self.project, action="review").delete()
        for place, (feature, name) in enumerate(QUEUES.items(), start=1):
            queue = ReviewQueue.objects.create(
                project=self.project, name=name, slug=feature.replace("_", "-")
            )
            self.queues[feature] = queue
            for person in content.people():
                if feature in person.fields:
                    QueueMember.objects.create(
                        project=self.project, queue=queue, user=self.people[person.key]
                    )
            RoutingRule.objects.bulk_create(
                RoutingRule(
                    project=self.project,
                    name=f"{name}: {rule}",
                    position=1_000 * place + 10 * step,
                    action=action,
                    queue=queue,
                    priority=priority,
                    when={**_plain(when), "features": [feature]},
                )
                for step, (rule, action, priority, when) in enumerate(RULES)
                if action == "review"
            )
        general = ReviewQueue.objects.get(project=self.project, slug="general")
        for queue in self.queues.values():
            queue.not_my_field_queue = general
            queue.save(update_fields=["not_my_field_queue"])

    def _prompts(self):
        PromptVersion.objects.bulk_create(
            PromptVersion(
                project=self.project,
                name=prompt["name"],
                version=prompt["version"],
                content_hash=_prompt_hash(prompt["text"]),
                text=prompt["text"],
                rationale=prompt["rationale"],
                deployed_at=prompt["deployed_at"],
                created_at=prompt["deployed_at"],
            )
            for prompt in content.prompt_versions(self.now)
        )

    def _keep(self, record, bodies):
        outcomes = record(project=self.project, rows=enumerate(bodies))
        refused = [outcome for outcome in outcomes if not outcome.is_stored]
        if refused:
            raise AssertionError(f"the demo's own rows were refused: {refused[0].errors}")

    def _problems(self):
        self.demo_problems = {}
        for each in content.problems():
            problem = problems.open_problem(
                project=self.project,
                title=each.title,
                summary=each.summary,
                severity=each.severity,
                category=each.category,
                fixable_by=each.fixable_by,
                owner=self.people.get(each.owner),
            )
            for external_id in each.interaction_ids:
                problems.join_problem(
                    problem=problem,
                    interaction=self.interactions[external_id],
                    source="lead",
                    severity=each.severity,
                )
            self.demo_problems[each.key] = problem

    def _judgements(self):
        by_interaction = defaultdict(list)
        for judgement in content.judgements():
            by_interaction[judgement.interaction_id].append(judgement)
        for external_id, judgements in by_interaction.items():
            interaction = self.interactions[external_id]
            item = self._item(interaction, overlap=len(judgements))
            for judgement in judgements:
                self._judge(item, interaction, judgement)

    def _item(self, interaction, *, overlap) -> ReviewItem:
        item = flag_interaction(
            interaction=interaction,
            queue=self.queues[interaction.feature],
            by=self.people["ben"],
            reason="picked by a lead",
        )
        if overlap > item.overlap:
            ReviewItem.objects.filter(pk=item.pk).update(overlap=overlap)
            count_slots(item.pk)
        return item

    def _judge(self, item, interaction, judgement):
        item = lock_item_and_interaction(item.pk)
        assignment = Assignment.objects.create(
            project=self.project,
            item=item,
            expert=self.people[judgement.expert],
            state=Assignment.State.CLAIMED,
            slot=free_slot(item),
            lease_until=timezone.now() + timedelta(minutes=30),
        )
        count_slots(item.pk)
        annotation = submit_annotation(
            assignment=assignment,
            fence=assignment.fence,
            revision=0,
            submit_key=f"demo-{judgement.expert}-{item.pk}",
            verdict=judgement.verdict,
            severity="none" if judgement.verdict == "correct" else judgement.severity,
            categories=list(judgement.categories),
            root_cause=judgement.root_cause,
            spans=[_span(span, interaction) for span in judgement.spans],
            correction=judgement.correction or None,
            note=judgement.note,
            confidence=judgement.confidence,
            seconds_spent=judgement.seconds_spent,
        )
        at = min(
            interaction.occurred_at + timedelta(hours=judgement.hours_after),
            self.now - timedelta(minutes=10),
        )
        Annotation.objects.filter(pk=annotation.pk).update(created_at=at, final_at=at)
        Assignment.objects.filter(pk=assignment.pk).update(
            submitted_at=at, claimed_at=at - timedelta(seconds=judgement.seconds_spent)
        )

    def _decisions(self):
        for decision in content.decisions():
            interaction = self.interactions[decision.interaction_id]
            item = ReviewItem.objects.get(
                interaction=interaction, queue=self.queues[interaction.feature]
            )
            settling.decide_dispute(
                item=item,
                by=self.people[decision.lead],
                verdict=decision.verdict,
                severity=decision.severity,
                categories=list(decision.categories),
                root_cause=decision.root_cause,
                reason=decision.reason,
                chosen_answer=CandidateAnswer.objects.filter(
                    interaction=interaction, text=decision.correction
                ).first(),
            )

    def _past(self):
        """What waits for the undo to pass has waited long enough."""
        past = self.now - timedelta(minutes=5)
        Settlement.objects.filter(project=self.project).update(
            takes_effect_at=past, created_at=past
        )
        OutboxEvent.objects.filter(project=self.project, delivered_at=None).update(due_at=past)
        ReviewItem.objects.filter(project=self.project).update(
            created_at=F("created_at") - timedelta(days=1)
        )

    def _gold(self):
        ready = [
            settlement
            for settlement in Settlement.objects.filter(project=self.project, is_current=True)
            .select_related("interaction", "chosen_answer")
            .order_by("id")
            if not gold.missing_for_gold(settlement)
        ]
        approved = ready[: int(len(ready) * APPROVED_SHARE)]
        frozen = int(len(approved) * (1 - WORK_LEFT))
        for settlement in approved[:frozen]:
            gold.promote_to_gold(settlement=settlement, by=self.people["ben"])
        version = gold.freeze_gold_version(
            project=self.project,
            by=self.people["dana"],
            description="First version: everything settled by the end of the month.",
            tags=["release-1"],
        )
        for settlement in approved[frozen:]:
            gold.promote_to_gold(settlement=settlement, by=self.people["ben"])
        for format in ("openai_sft", "trl_dpo"):
            run = exporting.request_export(
                version=version,
                format=format,
                by=self.people["dana"],
                is_left_to_a_worker=False,
            )
            exporting.make_export(export_id=run.pk)

    def _fixes(self):
        for each in content.problems():
            problem = self.demo_problems[each.key]
            problem.refresh_from_db()
            if each.fix:
                self._fix(each, problem)
            problem.refresh_from_db()
            if problem.state == Problem.State.OPEN and each.state in ("investigating", "fixing"):
                problems.move_problem_state(problem=problem, state=each.state)

    def _fix(self, each, problem):
        carrier, version = each.fix.carried_by
        at = self.now - timedelta(days=each.fix.days_ago)
        fix = fixing.record_fix(
            project=self.project,
            summary=each.fix.text,
            problems_fixed=[problem],
            carrier=carrier,
            carrier_version=version,
            is_planned=each.fix.state == "planned",
            by=self.people["ben"],
        )
        if each.fix.state == "planned":
            return
        if each.fix.state == "verified":
            members = problem.members.filter(left_at=None).select_related("interaction")
            verification.record_results(
                fix=fix,
                results=[verification.Result(member.interaction, True) for member in members],
            )
        Fix.objects.filter(pk=fix.pk).update(
            created_at=at,
            shipped_at=at,
            verified_at=at + timedelta(days=1) if each.fix.state == "verified" else None,
        )
        notices.prepare_notices(fix=Fix.objects.get(pk=fix.pk))
        for notice in fix.notices.filter(state=Notice.State.PENDING):
            self._told(notice, at)

    def _told(self, notice, at):
        """The demo's mails were sent long ago: no quickstart sends any to invented people."""
        message = notice_words.mail([notice])
        Notice.objects.filter(pk=notice.pk, state="pending").update(
            state="sending", subject=message.subject, body=message.body
        )
        Notice.objects.filter(pk=notice.pk).update(state="sent", created_at=at, sent_at=at)


def _deliver() -> None:
    while delivery.deliver_due(limit=2_000) == 2_000:
        pass


def _span(span, interaction) -> dict:
    if span.field == "output":
        text = interaction.output
    else:
        text = interaction.documents.get(position=int(span.field.partition(".")[2])).text
    return {
        "field": span.field,
        "start": span.start,
        "end": span.end,
        "quote": text[span.start : span.end],
        "label": span.label,
    }


def _plain(when: dict) -> dict:
    return {
        key: [str(word) for word in value] if isinstance(value, list) else value
        for key, value in when.items()
    }


def _prompt_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
