"""Who may do what: the one table. Owner's settings show it, every page and action asks it, a test walks its cells."""

from django.db import models


class Role(models.TextChoices):
    EXPERT = "expert", "Expert"
    ENGINEER = "engineer", "Engineer"
    LEAD = "lead", "Lead"
    OWNER = "owner", "Owner"


EXPERT, ENGINEER, LEAD, OWNER = Role.EXPERT, Role.ENGINEER, Role.LEAD, Role.OWNER

PERMISSIONS: dict[str, frozenset[str]] = {
    "judge": frozenset({EXPERT, LEAD, OWNER}),
    "see_own_work": frozenset({EXPERT, LEAD, OWNER}),
    "search_interactions": frozenset({ENGINEER, LEAD, OWNER}),
    "browse_gold": frozenset({ENGINEER, LEAD, OWNER}),
    "freeze_gold": frozenset({ENGINEER, LEAD, OWNER}),
    "export_gold": frozenset({ENGINEER, LEAD, OWNER}),
    "evaluate": frozenset({ENGINEER, LEAD, OWNER}),
    "approve_gold": frozenset({LEAD, OWNER}),
    "settle_disputes": frozenset({LEAD, OWNER}),
    "return_work": frozenset({LEAD, OWNER}),
    "flag_interaction": frozenset({ENGINEER, LEAD, OWNER}),
    "see_everyones_figures": frozenset({LEAD, OWNER}),
    "see_problems_of_own_items": frozenset({EXPERT, ENGINEER, LEAD, OWNER}),
    "see_problems": frozenset({ENGINEER, LEAD, OWNER}),
    "change_problems": frozenset({LEAD, OWNER}),
    "file_tickets": frozenset({LEAD, OWNER}),
    "record_fixes": frozenset({ENGINEER, LEAD, OWNER}),
    "release_notices": frozenset({LEAD, OWNER}),
    "propose_categories": frozenset({EXPERT, LEAD, OWNER}),
    "change_rules": frozenset({LEAD, OWNER}),
    "change_queues": frozenset({LEAD, OWNER}),
    "change_label_schema": frozenset({LEAD, OWNER}),
    "see_members": frozenset({LEAD, OWNER}),
    "change_members": frozenset({OWNER}),
    "see_api_keys": frozenset({LEAD, OWNER}),
    "change_api_keys": frozenset({OWNER}),
    "see_trackers": frozenset({LEAD, OWNER}),
    "change_trackers": frozenset({OWNER}),
    "see_privacy": frozenset({LEAD, OWNER}),
    "change_privacy": frozenset({OWNER}),
    "erase_people": frozenset({OWNER}),
    "read_audit": frozenset({LEAD, OWNER}),
}


def may(roles, permission: str) -> bool:
    """Whether any of `roles` allows `permission`. An unknown permission is a programming error."""
    return not PERMISSIONS[permission].isdisjoint(roles)


class Scope(models.TextChoices):
    """What a secret API key may do."""

    CAPTURE = "capture", "Send interactions and feedback"
    READ = "read", "Read interactions"
    REVIEW = "review", "Flag and read what was judged"
    EXPORT = "export", "Gold, versions, exports and evaluations"
    TRIAGE = "triage", "Problems and fixes"
    ADMIN = "admin", "Everything above, and members, keys and rules"
