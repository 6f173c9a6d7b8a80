"""E-mail, by Django's mail settings. It cannot be exactly once; it can be never twice.

Until the server was offered the message (DATA) a failure means: not sent, try later. From then on a lost answer means: it may
have been sent, and only a person may decide to send it again. `on_handover` is called between the two.
"""

import re
import smtplib
from collections.abc import Callable
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from feedbackhub.outbound import OutboundError, Outcome
from triage.channels import mail_service
from triage.notice_words import mail as compose  # noqa: F401  (what a channel has to offer)

MAY_BE_REPEATED = False
GOES_TOGETHER = True


def deliver(message: EmailMessage, *, on_handover: Callable[[], None]) -> None:
    """Send one message to one address. Raises OutboundError: refused for good, refused for now, or unknown."""
    backend = mail_service.open_backend()
    if not isinstance(backend, smtp.EmailBackend):
        on_handover()
        mail_service.hand_over(backend, message)
        return
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(error) from None
    try:
        _hand_over(backend.connection, message, on_handover)
    finally:
        _close(backend)


def note_given_up(notice) -> None:
    """One mailbox; the next may be well."""


def _hand_over(server, message, on_handover):
    raw = _LEADING_DOT.sub(b"..", message.message().as_bytes(linesep="\r\n"))
    sender, recipient = (
        parseaddr(sanitize_address(address, "utf-8"))[1]
        for address in (message.from_email, message.to[0])
    )
    try:
        server.ehlo_or_helo_if_needed()
        _demand(server.mail(sender), 2)
        _demand(server.rcpt(recipient), 2)
        on_handover()
        _demand(server.docmd("data"), 3)
    except (OSError, smtplib.SMTPException) as error:
        raise _not_sent(error) from None
    try:
        server.send(raw + b"\r\n.\r\n")
        answer = server.getreply()
    except (OSError, smtplib.SMTPException):
        raise OutboundError(
            "The mail server's answer was lost; the message may have been sent.", Outcome.UNKNOWN
        ) from None
    _demand(answer, 2)


_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


def _demand(said, kind) -> None:
    """The server's answer begins with `kind`; else it refused: 5xx for good, anything else for now."""
    code = said[0]
    if code // 100 == kind:
        return
    outcome = Outcome.REFUSED_FOR_GOOD if code // 100 == 5 else Outcome.REFUSED_TRY_LATER
    raise OutboundError(f"The mail server answered {code}.", outcome)


def _not_sent(error) -> OutboundError:
    """Nothing was handed over. Wrong credentials are a matter of settings: try later, and say so."""
    return OutboundError(
        f"The mail server could not be used: {type(error).__name__}.", Outcome.REFUSED_TRY_LATER
    )


def _close(backend) -> None:
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        pass
