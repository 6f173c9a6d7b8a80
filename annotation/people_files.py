"""People's figures as rows of a table: one row for each figure, with the count behind it."""

from collections.abc import Iterable, Iterator

from annotation.people import Figures

COLUMNS = ("person", "email", "part", "key", "value", "count")


def rows(people: Iterable[Figures]) -> Iterator[tuple]:
    for each in people:
        for part, key, value, count in _of(each):
            yield (each.user.name, each.user.email, part, key, value, count)


def _of(each: Figures) -> Iterator[tuple]:
    yield "throughput", "judged", each.judged, None
    yield "throughput", "days_worked", each.days_worked, None
    for day, count in each.trend:
        yield "judged_from", day.isoformat(), count, None
    yield "time", "median_seconds", each.median_seconds, None
    yield "agreement", "settled_verdict", each.agreement, each.compared
    for habit in each.habits:
        yield "category_share", habit.key, habit.share, habit.count
        yield "category_share_of_all", habit.key, habit.everybodys, None
    for reason, count in each.skips.items():
        yield "skips", reason, count, None
    yield "suggestions", "taken", each.takes, each.suggested
    yield "suggestions", "taken_and_changed", each.changed, each.taken
    for score in each.scores:
        yield "known_cases", score.queue.slug, score.share, score.judged
    yield "repeats", "same_again", each.steadiness, each.repeated
