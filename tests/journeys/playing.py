"""Plays a `Month` into a house: what is sent, repaired and shipped, and what must be on the board then."""

from collections import Counter, defaultdict
from datetime import UTC, timedelta
from math import log2

from tests.journeys.month import DAYS, PLAIN, Month
from tests.journeys.seeding import HOOK_SECRET
from tests.processes import wait_for

AT_ONCE = 1_000
MOVES = {"jira": ("transition", "Done"), "linear": ("state", "completed")}
WEIGHTS = {"critical": 27, "high": 9}


class Play:
    """A month in a tenant's project: `days` goes through it, `fix` ships the two repairs, `board` says what is so."""

    def __init__(self, month: Month, tenant):
        self.month, self.tenant = month, tenant
        self.house, self.trackers = tenant.house, tenant.house.trackers
        self.numbers: dict[int, int] = {}  # cause → number of its problem

    def days(self, first: int, last: int) -> None:
        """Send these days, oldest first, and wait until all of it is worked off."""
        for day in range(first, last):
            interactions, feedback = self.month.records_of(day)
            for path, rows in (("/interactions", interactions), ("/feedback", feedback)):
                for start in range(0, len(rows), AT_ONCE):
                    answer = self.tenant.post(path, rows[start : start + AT_ONCE])
                    assert answer["rejected"] == []
        self.work_off()

    def work_off(self) -> None:
        self.house.sweep()
        wait_for(self._is_idle, 900, "not everything was worked off")

    def _is_idle(self) -> bool:
        waits = self.tenant.count("outbox_outboxevent", "delivered_at IS NULL")
        waits += self.tenant.count("triage_escalation", "state <> 'filed'")
        return not waits

    def find_problems(self) -> None:
        """Each cause has the problem that its first complaint opened."""
        of_cause = {
            name: number for name, number in self.members() if int(name[5:]) < self.month.causes
        }
        self.numbers = {int(name[5:]): number for name, number in of_cause.items()}

    def members(self) -> list[tuple[str, int]]:
        """(interaction's external id, number of its problem)."""
        return self.house.sql(
            "SELECT i.external_id, p.number FROM triage_problemmember m"
            " JOIN triage_problem p ON p.id = m.problem_id"
            " JOIN capture_interaction i ON i.id = m.interaction_id"
            " WHERE m.project_id = %s AND m.left_at IS NULL",
            self.tenant.id,
        )

    def finish_tickets(self, *causes: int) -> None:
        """Somebody at each tracker closes these problems' tickets; its webhook tells us."""
        numbers = [self.numbers[cause] for cause in causes]
        tickets = self.house.sql(
            "SELECT c.tracker, t.key FROM triage_ticket t"
            " JOIN triage_escalation e ON e.id = t.escalation_id"
            " JOIN triage_problem p ON p.id = e.problem_id"
            " JOIN triage_trackerconnection c ON c.id = e.connection_id"
            " WHERE p.project_id = %s AND p.number = ANY(%s)",
            self.tenant.id,
            numbers,
        )
        assert len(tickets) == len(MOVES) * len(causes)
        for name, double in self.trackers.doubles.items():
            double.admin("webhooks", {"url": self.tenant.hooks[name], "secret": HOOK_SECRET})
        for tracker, key in tickets:
            do, to = MOVES[tracker]
            self.trackers.doubles[tracker].admin("act", {"do": do, "issue": key, "to": to})
        done = "state = 'done'"
        wait_for(lambda: self.tenant.count("triage_ticket", done) == len(tickets), 120)

    def fix(self, cause: int, summary: str) -> str:
        fix = self.tenant.post(
            "/fixes",
            {
                "id": f"fix-{cause}",
                "summary": summary,
                "problems": [self.numbers[cause]],
                "shipped_at": self.month.shipped_at.isoformat(),
            },
        )
        self.work_off()
        return fix["id"]

    def replay(self, fix: str, cause: int) -> dict:
        """The pipeline runs the problem's own cases again, and all come out right."""
        cases = [name for name, number in self.members() if number == self.numbers[cause]]
        passed = [{"interaction_id": name, "passed": True} for name in cases]
        answer = self.tenant.post(f"/fixes/{fix}/replays", passed)
        self.work_off()
        return answer

    # --- what must be so --------------------------------------------------------------------------

    def expected(self, now) -> dict[int, dict]:
        """Each problem's figures by its number, reckoned from what was sent and from who is a member of what."""
        told = {each.id: each for each in self.month.told}
        times = self.times()
        recent = now - timedelta(days=28)
        answers = (1 + PLAIN) * sum(when > recent for when in times.values())
        members = defaultdict(list)
        for name, number in self.members():
            members[number].append(name)
        return {
            number: self._figures([told[name] for name in names], times, recent, answers, now)
            for number, names in members.items()
        }

    def times(self) -> dict:
        """When each complaint's answer was given."""
        return {
            each.id: self.month.at(day, minute % 1_300)
            for day in range(DAYS)
            for minute, each in enumerate(self.month.of_day(day))
        }

    def _figures(self, cases, times, recent, answers, now) -> dict:
        (first,) = [each for each in cases if int(each.id[5:]) < self.month.causes]
        severity = self.month.severity_of(first.cause)
        reach = len({each.person for each in cases})
        whens = [times[each.id] for each in cases]
        frequency = round(1000 * sum(when > recent for when in whens) / answers, 3)
        age = (now - max(whens)).total_seconds() / 86_400
        by_two_days = Counter(
            min((now.date() - when.astimezone(UTC).date()).days, 27) // 2
            for when in whens
            if when > recent
        )
        return {
            "cause": first.cause,
            "severity": severity,
            "cases": len(cases),
            "reach": reach,
            "frequency": frequency,
            "trend": [by_two_days[13 - step] for step in range(14)],
            "priority": WEIGHTS[severity]
            * (1 + log2(reach))
            * (1 + log2(1 + frequency))
            * 0.5 ** (age / 14),
        }

    def strays(self) -> list[str]:
        """Complaints that stand in another cause's problem."""
        told = {each.id: each.cause for each in self.month.told}
        causes = {number: cause for cause, number in self.numbers.items()}
        return [name for name, number in self.members() if told[name] != causes[number]]
