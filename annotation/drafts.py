"""Drafts: what an expert is typing, kept on the server so that nothing typed is ever lost.

A draft has the shape of a submit's answers: {"verdict", "severity", "categories", "root_cause", "rubric_scores",
"note", "confidence", "spans": [{"field", "start", "end", "quote", "label", "note"}], "correction"}, each optional.
"""


def save_draft(*, assignment, fence, draft, draft_revision) -> int:
    """Keep `draft`, written on top of revision `draft_revision`; answers the new revision. Raises LeaseLost, StaleDraft, InvalidAnswer."""
    raise NotImplementedError
