"""Names the actor of what a task, a command or an API call does, for the audit trail."""

import pghistory


def acting(*, action: str, user=None, api_key=None):
    """Context manager: audit rows written inside carry the action and who did it (ids only)."""
    return pghistory.context(
        action=action,
        user=user.pk if user else None,
        api_key=str(api_key.public_id) if api_key else None,
    )
