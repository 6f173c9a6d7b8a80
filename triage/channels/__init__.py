"""The ways to reach a reporter: one file per way, all listed here.

Each has `compose(notices)`, the one message about one person's notices with its `subject` and `body` for the row;
`deliver(message, on_handover=…)`, which raises OutboundError; `MAY_BE_REPEATED`: whether a lost answer may be settled by
sending again; `GOES_TOGETHER`: whether one message holds several notices of one person; and `note_given_up(notice)`, which
hears of one that was tried in vain for as long as things are tried.
"""

from triage.channels import email, webhook

CHANNELS = {"email": email, "webhook": webhook}
