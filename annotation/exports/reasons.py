"""Why cases and rows stay behind, in words; manifests hold the keys."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    # of the gold itself
    "holdout": _("holdout: never in a format that trains"),
    "holdout_since": _("a twin of a holdout case since the version was frozen"),
    "stricter_since": _("its split became stricter since the version was frozen"),
    "contaminated": _("contaminated: trained with before it became holdout"),
    "erased": _("the person was forgotten"),
    "split_not_asked_for": _("in a split that was not asked for"),
    # limits and filters
    "below_severity": _("less severe than asked for"),
    "below_agreement": _("less agreement than asked for"),
    "too_long": _("longer than asked for"),
    "too_similar": _("chosen and rejected too much alike"),
    # what a format cannot say
    "no_ideal_answer": _("no ideal answer"),
    "no_rejected_answer": _("no rejected answer to make a pair of"),
    "chosen_equals_rejected": _("chosen and rejected are the same text"),
    "same_pair_twice": _("the same pair again"),
    "contradicts_another_pair": _("an earlier pair turned around"),
    "no_annotation": _("settled without a judgement of its own"),
    "no_question_at_the_end": _("no question at the end"),
    "does_not_start_with_the_user": _("does not start with the user"),
    "late_system_message": _("a system message in the middle"),
    "empty_message": _("an empty message"),
    "tool_messages": _("a tool's answer without its call"),
    "call_without_answer": _("a call of a tool without its answer"),
    "tool_answer_not_taken_up": _("a tool's answer that was not taken up"),
    "calls_a_tool": _("calls a tool, which this format cannot say"),
    "arguments_are_no_json": _("calls a tool with arguments that are no JSON object"),
}


def in_words(left_out: dict[str, int]) -> list[dict]:
    """Most frequent first: `[{"words", "count"}]`."""
    return [
        {"words": REASONS.get(reason, reason), "count": count}
        for reason, count in sorted(left_out.items(), key=lambda found: (-found[1], found[0]))
    ]
