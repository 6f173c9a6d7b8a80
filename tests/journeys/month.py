"""A month of complaints, played in minutes: what the product would send, day by day, with dates of the month that ends now.

    COMPLAINTS=3000 CAUSES=40 pytest -s tests/journeys/test_month.py

`Month` is the script and the truth of it: which cause each complaint is about, who made it, when.
"""

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

DAYS = 30
PLAIN = 1  # answers nobody complains of, for each complaint
ABOUT = """
refund of a returned pair of shoes
changing the address of a running order
a voucher that was not accepted
invoices for a company abroad
opening hours on public holidays
the warranty of a cordless drill
cancelling a yearly subscription
delivery to a parcel locker
a discount for students
an order split in two parcels
the size chart of rain jackets
paying by instalments
a gift card lost in the post
repairing a coffee grinder
recycling an old washing machine
a password that never arrives
two accounts with one mail
import duties from Norway
vegan leather belts
the battery of an electric bike
assembling a bookshelf
a missing screw in a table kit
late night delivery slots
the allergens in a muesli mix
storing frozen herbs
a stain on a wool carpet
noise of a dishwasher
a calendar of school holidays
booking a fitting room
renting a carpet cleaner
prices shown without tax
loyalty points that expired
an app that logs out
a broken tracking link
the colour of a sofa sample
mounting a bicycle rack
airport pickup of parcels
trade-in of a telephone
cutting worktops to measure
sharpening kitchen knives
""".strip().splitlines()
OPENINGS = ("Hello,", "Please help with", "Question:", "Again", "It is about")
TAILS = ("today", "thanks", "please", "urgently", "in short")


@dataclass(frozen=True)
class Complaint:
    """One answer that somebody complained of."""

    id: str
    cause: int
    person: str
    day: int  # 0 to 29, the last is today


@dataclass
class Month:
    """So many complaints about so many causes, the earlier causes more often; two of them are repaired on the way.

    `repaired` falls silent after its fix. `regressing` seems repaired, and comes back worse in the last days.
    """

    complaints: int = 3_000
    causes: int = len(ABOUT)
    repaired, regressing = 0, 1
    fixed_on = DAYS - 12  # the day on which both fixes ship
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self):
        dice = random.Random(2026)
        weights = [1 / (2 + cause) for cause in range(self.causes)]
        picked = list(range(self.causes))
        picked += dice.choices(picked, weights, k=self.complaints - len(picked))
        self.told = []
        for number, cause in enumerate(picked):
            is_first = number < self.causes
            day = dice.randrange(3) if is_first else self._day_of(cause, dice)
            person = f"person-{dice.randrange(2 + self.complaints // 3)}"
            self.told.append(Complaint(f"chat/{number}", cause, person, day))

    def _day_of(self, cause: int, dice) -> int:
        if cause == self.repaired:
            return dice.randrange(self.fixed_on)
        if cause == self.regressing:  # two of three in the week that ends now
            return dice.randrange(DAYS - 6, DAYS) if dice.random() < 2 / 3 else dice.randrange(9)
        return dice.randrange(DAYS)

    @property
    def shipped_at(self) -> datetime:
        return self.at(self.fixed_on)

    def at(self, day: int, minute: int = 0) -> datetime:
        """A time of this day of the month; the last day ends before now."""
        return self.now - timedelta(days=DAYS - day) + timedelta(minutes=5 + minute)

    def of_day(self, day: int) -> list[Complaint]:
        return [each for each in self.told if each.day == day]

    def records_of(self, day: int) -> tuple[list[dict], list[dict]]:
        """What the product sends at the end of the day: (interactions, feedback). A cause's first complaint tells of harm."""
        interactions, feedback = [], []
        for minute, each in enumerate(self.of_day(day)):
            about, number = ABOUT[each.cause % len(ABOUT)], int(each.id.partition("/")[2])
            opening, tail = OPENINGS[number % 5], TAILS[number // 5 % 5]
            when = self.at(day, minute % 1_300).isoformat()
            interactions.append(
                {
                    "id": each.id,
                    "feature": "shop",
                    "occurred_at": when,
                    "user": {"id": each.person},
                    "messages": [{"role": "user", "content": f"{opening} {about}, {tail}?"}],
                    "output": f"About {about} there is nothing to say.",
                }
            )
            interactions += [
                {
                    "id": f"{each.id}/plain-{n}",
                    "feature": "shop",
                    "occurred_at": when,
                    "output": "Gladly.",
                }
                for n in range(PLAIN)
            ]
            feedback.append(self._complaint(each, when, is_first=number < self.causes))
        return interactions, feedback

    def _complaint(self, each, when, *, is_first) -> dict:
        address = f"{each.person}@example.org"
        reporter = {"ref": each.person, "email": address, "consent": True}
        harm = {"kind": "report", "category": "harmful", "severity": self.severity_of(each.cause)}
        return {
            "id": f"said/{each.id}",
            "interaction_id": each.id,
            "occurred_at": when,
            "reporter": reporter,
            **(harm if is_first else {"kind": "thumbs_down"}),
        }

    @staticmethod
    def severity_of(cause: int) -> str:
        return "high" if cause % 3 else "critical"


def asked_for() -> Month:
    """As large as the environment says; small enough for every day."""
    return Month(int(os.environ.get("COMPLAINTS", "240")), int(os.environ.get("CAUSES", "8")))
