"""What stands beside an item once it is on the screen: the rest of the session, what changed in the prompt, similar
cases with how they were settled, answers that somebody wrote already, and what is suggested.

It is fetched after the item is shown, so that the next item never waits for it. What could sway somebody whose own
judgement is measured (known cases, repeats) is left out, and so is what recall keeps back: the holdout and its twins. The reporter's own word stays: everybody sees it in the feedback.
"""

import json
from urllib.parse import urlencode

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation import comparing, look_alikes, recall, suggestions
from annotation.models import Assignment, CandidateAnswer, ReviewItem
from annotation.review_screen import LONGEST_COMPARED
from annotation.schema_history import category_words, keys_to_choose
from annotation.settling import current_schema
from feedbackhub.capture import browsing, vectors
from feedbackhub.outbound import OutboundError
from feedbackhub.paging import cursor_beside, paginate

MOST_CASES = 3
MOST_TURNS = 10
TURNS_AT_ONCE = 20  # of those that are asked for
RECALLED = 20  # of which some are of other queues, or under another schema


def context_of(assignment, *, membership) -> dict:
    """For the template of the same name. What is suggested waits for a first answer where the queue says so.

    Nothing here says that a person is measured: an item that measures looks like one without similar cases.
    """
    item = assignment.item
    if comparing.is_pairwise(item):
        return {}
    schema = current_schema(item.queue)
    is_measured = item.purpose in ReviewItem.MEASURING
    may_be_swayed = _has_answered(assignment) or not item.queue.suggestions_after_first_answer
    shows = may_be_swayed and not is_measured
    is_in_hand = assignment.state in Assignment.HELD_STATES and not is_measured
    return {
        **_rest_of_session(assignment, membership),
        "prompt_change": _prompt_change(item.interaction),
        "waits_for_answer": not may_be_swayed,
        "cases": similar_cases(item, schema, membership=membership) if shows else [],
        "suggestions": _suggestions(item, schema) if may_be_swayed else [],
        "others": _others(assignment, schema) if shows else [],
        "candidates": _candidates(assignment) if shows else [],
        "look_alikes": look_alikes.look_alikes_of(assignment) if is_in_hand else [],
    }


def similar_cases(item, schema, *, membership, most=MOST_CASES) -> list[dict]:
    """The likest settled cases of the queues that this member sees; what recall keeps back is not among them."""
    question = vectors.question(item.interaction)
    if not question:
        return []
    try:
        recalled = recall.recall(project=membership.project, text=question, limit=RECALLED)
    except OutboundError:
        return []  # the embeddings service is away
    visible = set(
        ReviewItem.objects.visible_to(membership)
        .filter(pk__in=[case.settlement.item_id for case in recalled.cases])
        .values_list("pk", flat=True)
    )
    cases = [
        case.settlement
        for case in recalled.cases
        if case.settlement.item_id in visible
        and case.settlement.schema_name == item.queue.schema_name
        and case.settlement.interaction_id != item.interaction_id
    ][:most]
    prefetch_related_objects(cases, "schema")
    return [_case(settlement, schema) for settlement in cases]


def more_of_session(assignment, *, earlier: str = "", later: str = "") -> dict:
    """The turns before a cursor, or behind one, and the one `reached` first from where one was. Raises BadCursor."""
    page = paginate(
        browsing.other_turns(assignment.item.interaction),
        order=browsing.IN_ORDER,
        cursor=earlier or later,
        limit=TURNS_AT_ONCE,
    )
    if earlier:
        return {**_turns(page.rows, page.previous_cursor, None), "reached": page.rows[-1:]}
    return {**_turns(page.rows, None, page.next_cursor), "reached": page.rows[:1]}


# --- steps ----------------------------------------------------------------------------------------


def _has_answered(assignment) -> bool:
    """Whether a verdict was submitted, or chosen as far as the kept draft knows: what is drawn in the browser is no proof."""
    return assignment.state == Assignment.State.SUBMITTED or bool(assignment.draft.get("verdict"))


def _case(settlement, schema) -> dict:
    values = {
        "verdict": settlement.verdict,
        "severity": settlement.severity,
        "categories": keys_to_choose(schema, settlement.categories),
        "root_cause": settlement.root_cause,
    }
    answer = settlement.chosen_answer
    return {
        "settlement": settlement,
        "categories": [
            category_words(key, then=settlement.schema, now=schema) for key in settlement.categories
        ],
        "source": f"case:{settlement.public_id}",
        "values": json.dumps(values),
        "is_comparable": answer is not None
        and len(answer.text) + len(settlement.interaction.output) <= LONGEST_COMPARED,
    }


def _suggestions(item, schema) -> list[dict]:
    """The model's, where one was asked, and what the reporter's own words mean in the schema; only these where one is measured."""
    by_model = None if item.purpose in ReviewItem.MEASURING else _by_model(item, schema)
    found = [by_model, _by_reporter(item, schema)]
    return [each for each in found if each]


def _by_model(item, schema) -> dict | None:
    suggested = suggestions.of_item(item, schema)
    if suggested is None:
        return None
    said, causes = suggested.values, {row["key"]: row["name"] for row in schema.root_causes}
    named = [row["name"] for row in schema.categories if row["key"] in said["categories"]]
    return {
        "source": f"model:{suggested.model}"[:60],
        "model": suggested.model,
        "verdict": said["verdict"],
        "severity": said["severity"],
        "names": [*named, *filter(None, [causes.get(said["root_cause"])])],
        "why": suggested.why,
        "values": json.dumps(said),
    }


def _by_reporter(item, schema) -> dict | None:
    """What the reporter's own words mean in the schema."""
    said = set(
        item.interaction.feedback.filter(erased_at=None)
        .exclude(category="")
        .values_list("category", flat=True)
    )
    categories = [row for row in schema.categories if said & set(row.get("reported_as", ()))]
    if not categories:
        return None
    return {
        "source": "reporter",
        "names": [row["name"] for row in categories],
        "values": json.dumps({"categories": [row["key"] for row in categories]}),
    }


def _rest_of_session(assignment, membership) -> dict:
    """The turns around this one; how many more there are and the way to them, and for those who search where all of them are."""
    interaction = assignment.item.interaction
    nearest = browsing.nearest_of_session(interaction, MOST_TURNS)
    turns, left = nearest.turns, nearest.count - len(nearest.turns)
    earlier = nearest.has_earlier and cursor_beside(turns[0], browsing.IN_ORDER, is_backward=True)
    later = nearest.has_later and cursor_beside(turns[-1], browsing.IN_ORDER)
    url = ""
    if left and membership.may("search_interactions"):
        url = reverse("interactions", args=[membership.project.slug])
        url += "?" + urlencode({"session": interaction.session_id})
    return {
        **_turns(turns, earlier, later),
        "session_count": nearest.count,
        "session_is_endless": nearest.count == browsing.MOST_COUNTED,
        "session_left": left,
        "session_url": url,
    }


def _turns(turns, earlier, later) -> dict:
    """Turns with the beginning of their texts, and the cursors of those before and behind."""
    for turn in turns:
        turn.is_cut = (
            len(turn.question or "") > browsing.TURN_QUESTION
            or len(turn.answer) > browsing.TURN_ANSWER
        )
    return {"session": turns, "earlier": earlier, "later": later}


def _prompt_change(interaction) -> dict | None:
    prompt = interaction.prompt_version
    if prompt is None:
        return None
    version = browsing.prompt_changelog(interaction.project).get(pk=prompt.pk)
    before = version.text_before or ""
    if not version.text or not before or version.text == before:
        return None
    return {
        "version": version,
        "before": before,
        "is_comparable": len(version.text) + len(before) <= 2 * LONGEST_COMPARED,
    }


def _others(assignment, schema) -> list[dict]:
    """What colleagues said about this item already, where the queue is open."""
    if assignment.item.queue.is_blind or assignment.item.overlap == 1:
        return []
    said = assignment.item.annotations.current().exclude(expert=assignment.expert_id)
    return [
        {
            "annotation": annotation,
            "categories": [
                category_words(key, then=annotation.schema, now=schema)
                for key in annotation.categories
            ],
        }
        for annotation in said.select_related("expert", "schema").order_by("pk")
    ]


def _candidates(assignment) -> list[dict]:
    """Better answers that somebody wrote already: the reporter's, a model's, colleagues' where the queue is open."""
    found = assignment.item.interaction.candidates.exclude(
        state=CandidateAnswer.State.SUPERSEDED
    ).exclude(author=assignment.expert_id)
    if assignment.item.queue.is_blind:
        found = found.exclude(
            source__in=[CandidateAnswer.Source.EXPERT, CandidateAnswer.Source.LEAD]
        )
    output = assignment.item.interaction.output
    return [
        {
            "candidate": candidate,
            "by": candidate.author or _by(candidate.source),
            "is_comparable": len(candidate.text) + len(output) <= 2 * LONGEST_COMPARED,
        }
        for candidate in found.select_related("author").order_by("-revision")[:5]
    ]


def _by(source: str) -> str:
    words = {
        CandidateAnswer.Source.REPORTER: _("the reporter's own edit"),
        CandidateAnswer.Source.MODEL: _("written by a model"),
        CandidateAnswer.Source.EXPERT: _("a colleague's"),
        CandidateAnswer.Source.LEAD: _("a lead's"),
    }
    return words[source]
