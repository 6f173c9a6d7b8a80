"""Mail by Django's other backends: a mail service's API by django-anymail, or a folder.

What a service refuses was not sent, nor what never reached it; where its answer was lost, or makes no sense, it may have been.
"""

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from feedbackhub.outbound import OutboundError, Outcome

try:
    from anymail import exceptions as anymail
    from requests import ConnectTimeout
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
except ImportError:  # the `email` extra is not installed
    anymail = None

# What a message asks for, and a service may not have: without them it goes all the same.
_OPTIONS = {"track_opens": False, "track_clicks": False}


def open_backend():
    """Django's mail backend as the settings say. Wrong settings: try later, and say so."""
    try:
        return get_connection()
    except (ImproperlyConfigured, ImportError) as error:
        raise OutboundError(
            f"The mail settings are wrong: {error}", Outcome.REFUSED_TRY_LATER
        ) from None


def hand_over(backend, message) -> None:
    """One message; raises OutboundError."""
    try:
        taken = _send(backend, message)
    except Exception as error:  # each service's library has errors of its own
        raise _judged(error) from None
    if not taken:
        raise OutboundError("The mail backend took no message.", Outcome.REFUSED_TRY_LATER)


def _send(backend, message):
    """No pixel and no rewritten links, where the service lets us say so; it says before it calls what it has no word for."""
    if anymail is None:
        return backend.send_messages([message])
    for name, value in _OPTIONS.items():
        setattr(message, name, value)
    for left_out in (*_OPTIONS, "metadata"):
        try:
            return backend.send_messages([message])
        except anymail.AnymailUnsupportedFeature:
            if hasattr(message, left_out):
                delattr(message, left_out)
    return backend.send_messages([message])


def _judged(error) -> OutboundError:
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 499):
        is_for_now = status in (401, 403, 429)  # a matter of settings, or of time
        return OutboundError(
            f"The mail service answered {status}.",
            Outcome.REFUSED_TRY_LATER if is_for_now else Outcome.REFUSED_FOR_GOOD,
        )
    if anymail and isinstance(error, anymail.AnymailRecipientsRefused):
        return OutboundError("The mail service refused the address.", Outcome.REFUSED_FOR_GOOD)
    if anymail and isinstance(error, _NOT_WRITTEN_DOWN):
        return OutboundError(
            f"The mail service was not called: the message does not fit it ({type(error).__name__}).",
            Outcome.REFUSED_FOR_GOOD,
        )
    if anymail and _never_reached(error):
        return OutboundError("The mail service cannot be reached.", Outcome.REFUSED_TRY_LATER)
    return OutboundError(
        f"The mail service failed ({type(error).__name__}); the message may have been sent.",
        Outcome.UNKNOWN,
    )


_NOT_WRITTEN_DOWN = anymail and (
    anymail.AnymailInvalidAddress,
    anymail.AnymailUnsupportedFeature,
    anymail.AnymailSerializationError,
)


def _never_reached(error) -> bool:
    """No connection was made: the name is unknown, nobody listens, or not in time."""
    whys = [getattr(said, "reason", None) for said in getattr(error.__cause__, "args", ())]
    return isinstance(error, ConnectTimeout) or any(
        isinstance(why, NewConnectionError | ConnectTimeoutError) for why in whys
    )
