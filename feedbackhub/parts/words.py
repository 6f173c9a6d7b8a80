"""The words, icons and tones of what the product talks about, once for every page."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# severity: letter (also its key), word
SEVERITIES: dict[str, tuple[str, Promise]] = {
    "none": ("N", pgettext_lazy("severity", "None")),
    "low": ("L", pgettext_lazy("severity", "Low")),
    "medium": ("M", pgettext_lazy("severity", "Medium")),
    "high": ("H", pgettext_lazy("severity", "High")),
    "critical": ("C", pgettext_lazy("severity", "Critical")),
}

# verdict: tone, icon, word
VERDICTS: dict[str, tuple[str, str, Promise]] = {
    "correct": ("good", "check-circle", pgettext_lazy("verdict", "Correct")),
    "partly": ("caution", "minus-circle", pgettext_lazy("verdict", "Partly right")),
    "wrong": ("bad", "x-circle", pgettext_lazy("verdict", "Wrong")),
    "harmful": ("harm", "shield-exclamation", pgettext_lazy("verdict", "Harmful")),
}

# state: tone, icon, word. A word means the same wherever it is used as a state.
STATES: dict[str, tuple[str, str, Promise]] = {
    # review items
    "waiting": ("neutral", "clock", pgettext_lazy("state", "Waiting")),
    "in_review": ("accent", "eye", pgettext_lazy("state", "In review")),
    "settled": ("good", "check-circle", pgettext_lazy("state", "Settled")),
    "disputed": ("caution", "scale", pgettext_lazy("state", "Disputed")),
    "dismissed": ("neutral", "minus-circle", pgettext_lazy("state", "Dismissed")),
    # assignments
    "reserved": ("neutral", "bookmark", pgettext_lazy("state", "Fetched ahead")),
    "claimed": ("accent", "user", pgettext_lazy("state", "In hand")),
    "submitted": ("good", "check", pgettext_lazy("state", "Submitted")),
    "skipped": ("neutral", "forward", pgettext_lazy("state", "Skipped")),
    "returned": ("caution", "arrow-uturn-left", pgettext_lazy("state", "Returned")),
    "expired": ("neutral", "clock", pgettext_lazy("state", "Expired")),
    # answers and gold
    "proposed": ("info", "light-bulb", pgettext_lazy("state", "Proposed")),
    "approved": ("good", "check-badge", pgettext_lazy("state", "Approved")),
    "accepted": ("good", "check", pgettext_lazy("state", "Accepted")),
    "merged": ("neutral", "square-2-stack", pgettext_lazy("state", "Merged")),
    "declined": ("neutral", "x-mark", pgettext_lazy("state", "Declined")),
    "superseded": ("neutral", "arrow-path", pgettext_lazy("state", "Superseded")),
    "train": ("neutral", "academic-cap", pgettext_lazy("split", "Train")),
    "validation": ("neutral", "beaker", pgettext_lazy("split", "Validation")),
    "holdout": ("info", "lock-closed", pgettext_lazy("split", "Holdout")),
    "contaminated": ("bad", "exclamation-triangle", pgettext_lazy("state", "Contaminated")),
    # problems
    "open": ("info", "exclamation-circle", pgettext_lazy("state", "Open")),
    "investigating": ("accent", "magnifying-glass", pgettext_lazy("state", "Investigating")),
    "fixing": ("accent", "wrench", pgettext_lazy("state", "Fixing")),
    "shipped": ("accent", "rocket-launch", pgettext_lazy("state", "Shipped")),
    "verified": ("good", "check-badge", pgettext_lazy("state", "Verified")),
    "regressed": ("bad", "arrow-uturn-left", pgettext_lazy("state", "Regressed")),
    "wont_fix": ("neutral", "no-symbol", pgettext_lazy("state", "Won't fix")),
    "duplicate": ("neutral", "square-2-stack", pgettext_lazy("state", "Duplicate")),
    # regroupings
    "asked": ("neutral", "clock", pgettext_lazy("state", "Being prepared")),
    "ready": ("info", "eye", pgettext_lazy("state", "Ready to look at")),
    "accepting": ("accent", "arrow-path", pgettext_lazy("state", "Being accepted")),
    # what tickets told, and what a model named
    "confirmed": ("good", "check", pgettext_lazy("state", "Confirmed")),
    "taken": ("good", "check", pgettext_lazy("state", "Taken")),
    # tickets, as their trackers tell
    "in_progress": ("accent", "play-circle", pgettext_lazy("state", "In progress")),
    "done": ("good", "check-circle", pgettext_lazy("state", "Done")),
    "deleted": ("bad", "trash", pgettext_lazy("state", "Deleted")),
    # escalations, fixes, notices, runs
    "pending": ("neutral", "clock", pgettext_lazy("state", "Pending")),
    "filing": ("accent", "arrow-up-tray", pgettext_lazy("state", "Being filed")),
    "filed": ("good", "ticket", pgettext_lazy("state", "Filed")),
    "unknown": ("caution", "question-mark-circle", pgettext_lazy("state", "Unknown")),
    "failed": ("bad", "x-circle", pgettext_lazy("state", "Failed")),
    "needs_person": ("caution", "hand-raised", pgettext_lazy("state", "Needs a person")),
    "planned": ("neutral", "calendar", pgettext_lazy("state", "Planned")),
    "reverted": ("bad", "arrow-uturn-left", pgettext_lazy("state", "Reverted")),
    "held": ("caution", "pause-circle", pgettext_lazy("state", "Held")),
    "sending": ("accent", "paper-airplane", pgettext_lazy("state", "Being sent")),
    "sent": ("good", "check", pgettext_lazy("state", "Sent")),
    "bounced": ("bad", "arrow-uturn-left", pgettext_lazy("state", "Came back")),
    "suppressed": ("neutral", "bell-slash", pgettext_lazy("state", "Not to be sent")),
    "dropped": ("neutral", "no-symbol", pgettext_lazy("state", "Not to be sent")),
    "uncertain": ("caution", "question-mark-circle", pgettext_lazy("state", "May have been sent")),
    "cancelled": ("neutral", "no-symbol", pgettext_lazy("state", "Cancelled")),
    "running": ("accent", "arrow-path", pgettext_lazy("state", "Running")),
    "finished": ("good", "check-circle", pgettext_lazy("state", "Finished")),
    "passed": ("good", "check-circle", pgettext_lazy("state", "Passed")),
    # connections, keys, members, rules
    "active": ("good", "check-circle", pgettext_lazy("state", "Active")),
    "disabled": ("neutral", "pause-circle", pgettext_lazy("state", "Disabled")),
    "revoked": ("neutral", "no-symbol", pgettext_lazy("state", "Revoked")),
    "invited": ("info", "envelope", pgettext_lazy("state", "Invited")),
    "draft": ("neutral", "pencil", pgettext_lazy("state", "Draft")),
    "frozen": ("info", "lock-closed", pgettext_lazy("state", "Frozen")),
}

# One message level's tone and icon, for banners and toasts.
TONES: dict[str, tuple[str, str]] = {
    "debug": ("neutral", "information-circle"),
    "info": ("info", "information-circle"),
    "success": ("good", "check-circle"),
    "good": ("good", "check-circle"),
    "warning": ("caution", "exclamation-triangle"),
    "caution": ("caution", "exclamation-triangle"),
    "error": ("bad", "exclamation-circle"),
    "bad": ("bad", "exclamation-circle"),
    "harm": ("harm", "shield-exclamation"),
    "neutral": ("neutral", "information-circle"),
    "accent": ("accent", "information-circle"),
}

# Keys by the names that scripts and templates use, as they are printed on a cap.
KEYS: dict[str, Promise | str] = {
    "mod": pgettext_lazy("key", "Ctrl"),  # ⌘ on a Mac: keys.js changes it
    "ctrl": pgettext_lazy("key", "Ctrl"),
    "alt": pgettext_lazy("key", "Alt"),
    "shift": "⇧",
    "enter": "⏎",
    "escape": pgettext_lazy("key", "Esc"),
    "space": pgettext_lazy("key", "Space"),
    "tab": "⇥",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "backspace": "⌫",
}

# The same keys as `aria-keyshortcuts` spells them.
KEY_NAMES = {
    "mod": "Control",
    "ctrl": "Control",
    "alt": "Alt",
    "shift": "Shift",
    "enter": "Enter",
    "escape": "Escape",
    "space": "Space",
    "tab": "Tab",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "backspace": "Backspace",
}

UNKNOWN_STATE = ("neutral", "question-mark-circle", _("Unknown"))
