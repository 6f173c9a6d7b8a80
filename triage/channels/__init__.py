"""The ways to reach a reporter: one file per way, all listed here.

Each has `compose(notices)`, the one message about one person's notices with its `subject` and `body` for the row;
`deliver(message, on_handover=…)`, which raises OutboundError; and `MAY_BE_REPEATED`: whether a lost answer may be
settled by sending again.
"""

from triage.channels import email, webhook

CHANNELS = {"email": email, "webhook": webhook}
