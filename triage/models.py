"""From a bad answer to a fix that its reporters heard of: problems, tickets, fixes, notices.

Each topic has a file of its own; all are imported from here, where Django finds them.
"""

from triage.change_models import ChangedProblem, ProblemChange, Regrouping
from triage.escalation_models import Escalation
from triage.fix_models import Fix, FixedProblem, Replay
from triage.notice_models import (
    Letter,
    Notice,
    NoticePolicy,
    NoticeTemplate,
    StillWrong,
    Undeliverable,
)
from triage.problem_models import PROBLEM_MOVES, Placement, Problem, ProblemMember
from triage.rule_models import PriorityRules, rules_of
from triage.ticket_fix_models import TicketFix
from triage.ticket_models import Ticket, TicketNote, TicketState
from triage.tracker_models import TrackerConnection, TrackerDelivery, tracker_choices
from triage.wording_models import Wording

__all__ = [
    "PROBLEM_MOVES",
    "ChangedProblem",
    "Escalation",
    "Fix",
    "FixedProblem",
    "Letter",
    "Notice",
    "NoticePolicy",
    "NoticeTemplate",
    "Placement",
    "PriorityRules",
    "Problem",
    "ProblemChange",
    "ProblemMember",
    "Regrouping",
    "Replay",
    "StillWrong",
    "Ticket",
    "TicketFix",
    "TicketNote",
    "TicketState",
    "TrackerConnection",
    "TrackerDelivery",
    "Undeliverable",
    "Wording",
    "rules_of",
    "tracker_choices",
]
