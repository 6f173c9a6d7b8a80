"""When people are left alone: between a project's quiet hours a letter waits for the morning, but never a critical one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from feedbackhub.capture.vocabulary import Severity


def not_before(now, *, severity, rules) -> datetime:
    """Now, or the end of the quiet hours that it is in; for what is critical always now."""
    if severity == Severity.CRITICAL or rules.quiet_from is None:
        return now
    here = now.astimezone(ZoneInfo(rules.time_zone))
    start, end, clock = rules.quiet_from, rules.quiet_to, here.time()
    over_midnight = start > end
    is_quiet = (clock >= start or clock < end) if over_midnight else start <= clock < end
    if not is_quiet:
        return now
    day = here.date() + timedelta(days=1 if over_midnight and clock >= start else 0)
    return datetime.combine(day, end, tzinfo=here.tzinfo).astimezone(UTC)
