"""Who asks what, when, under which prompt version, and what the answer is: the rows of each field.

Nothing here depends on the time at which the demo is loaded: a row knows how many days before it
happened, and at what time of day.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from types import ModuleType

from feedbackhub.demo import devtool, pharmacy, tax_help, voices
from feedbackhub.demo.prompts import PROMPTS, Prompt
from feedbackhub.demo.writing import (
    Case,
    Chunk,
    Flaw,
    Written,
    draw_alternatives,
    fill,
    unwrap,
    write,
)

FIELDS = (tax_help, pharmacy, devtool)
DAYS = 60
BLOG_REMOVED = 9.0  # days ago: from then on pharmacy's index is without the parents' blog


@dataclass(frozen=True)
class User:
    """Somebody who uses the product, and who may be a reporter."""

    id: str
    name: str
    role: str
    region: str
    lang: str
    has_email: bool
    consents: bool

    def reporter(self) -> dict:
        locale = {"en": "en-GB", "he": "he-IL"}.get(self.lang, self.lang)
        if self.region.startswith("US"):
            locale = "en-US"
        who: dict = {"ref": self.id}
        if self.has_email:
            who |= {"email": f"{self.name}@example.org", "locale": locale, "consent": self.consents}
        return who


@dataclass(frozen=True)
class Event:
    seconds_after: float
    payload: dict


@dataclass
class Row:
    """One interaction as drawn: everything but its date."""

    id: str
    module: ModuleType
    case: Case
    flaw: Flaw | None
    values: dict
    turns: tuple[str, ...]
    answer: Written
    correction: str
    chunks: list[Chunk]
    prompt: Prompt
    user: User
    day: float
    clock: tuple[int, int, int]
    session: str
    twin_of: str = ""
    follows: str = ""
    minutes_later: float = 0.0
    payload: dict = field(default_factory=dict)
    feedback: list[Event] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        return self.flaw is not None and self.flaw.verdict != "correct"

    @property
    def is_harmful(self) -> bool:
        return self.flaw is not None and self.flaw.verdict == "harmful"

    @property
    def misled_by_blog(self) -> bool:
        return any(chunk.document == pharmacy.MISLEADING for chunk in self.chunks)


class Deck:
    """Draws without replacement and shuffles again when all are drawn."""

    def __init__(self, cards, rng: Random):
        self.cards, self.rng, self.left = list(cards), rng, []

    def draw(self):
        if not self.left:
            self.left = self.cards[:]
            self.rng.shuffle(self.left)
        return self.left.pop()


@dataclass(frozen=True)
class Plan:
    """How much of a field there is."""

    first: int  # asked for the first time
    twins: int
    follow_ups: int
    most_harmful: int


_PLANS = {
    "tax_help": Plan(first=131, twins=12, follow_ups=5, most_harmful=8),
    "pharmacy": Plan(first=118, twins=11, follow_ups=4, most_harmful=13),
    "devtool": Plan(first=110, twins=10, follow_ups=4, most_harmful=7),
}

_HOURS = {  # weights by hour of the day, UTC
    "tax_help": [1, 0, 0, 0, 0, 1, 3, 6, 8, 8, 8, 7, 6, 6, 6, 6, 7, 9, 12, 14, 12, 8, 4, 2],
    "pharmacy": [4, 3, 3, 2, 2, 3, 6, 8, 8, 7, 6, 6, 6, 5, 5, 6, 7, 9, 10, 10, 9, 8, 7, 5],
    "devtool": [1, 0, 0, 0, 1, 3, 6, 10, 13, 13, 11, 8, 10, 13, 12, 10, 7, 4, 3, 3, 3, 2, 2, 1],
}
_NIGHT = {"sleeping-tablets"}


class Field:
    """Draws the rows of one field."""

    def __init__(self, module: ModuleType, rng: Random, taken: set[str]):
        self.module, self.rng, self.taken = module, rng, taken
        self.plan = _PLANS[module.FEATURE]
        self.prompts = [prompt for prompt in PROMPTS if prompt.name == module.PROMPT]
        self.users = _users(module, rng, taken)
        self.asked: dict[str, set] = {case.key: set() for case in module.CASES}
        self.goods = {case.key: Deck(case.good, rng) for case in module.CASES}
        self.good_count = dict.fromkeys(self.goods, 0)
        self.slots = {
            (case.key, slot): Deck(values, rng)
            for case in module.CASES
            for slot, values in case.slots.items()
        }
        self.specimens = [(case, flaw) for case in module.CASES for flaw in case.flaws]
        self.seen = [0] * len(self.specimens)
        self.harmful = 0

    def draw(self) -> list[Row]:
        rows = [self._first(day, prompt, bad) for day, prompt, bad in self._schedule()]
        originals = [row for row in rows if not (row.flaw and row.flaw.kind == "slow")]
        twins = [self._twin(row) for row in self.rng.sample(originals, self.plan.twins)]
        return rows + twins + self._follow_ups(rows)

    def _schedule(self) -> list[tuple[float, Prompt, bool]]:
        """When each is asked, under which prompt version, and whether the answer is bad."""
        count, schedule = self.plan.first, []
        owed = {prompt.version: self.rng.random() for prompt in self.prompts}
        for i in range(count):
            day = DAYS * (1 - (i + self.rng.random()) / count)
            prompt = self._prompt_on(day)
            owed[prompt.version] += prompt.flaw_rate
            bad = owed[prompt.version] >= 1
            owed[prompt.version] -= bad
            schedule.append((day, prompt, bad))
        return schedule

    def _prompt_on(self, day: float) -> Prompt:
        """The version of the day; a new one gets a quarter of the traffic the day before."""
        live = [prompt for prompt in self.prompts if prompt.from_day >= day]
        current = live[-1] if live else self.prompts[0]
        place = self.prompts.index(current)
        if place + 1 < len(self.prompts):
            coming = self.prompts[place + 1]
            if day - coming.from_day < 1 and self.rng.random() < 0.25:
                return coming
        return current

    def _first(self, day: float, prompt: Prompt, bad: bool) -> Row:
        if bad:
            case, flaw = self._specimen(day, prompt)
        else:
            case, flaw = self._least_seen(), None
        values = {name: self.slots[case.key, name].draw() for name in case.slots}
        values |= case.work(values) if case.work else {}
        ask = self._ask(case, flaw)
        turns = tuple(self._say(turn, values) for turn in ([ask] if isinstance(ask, str) else ask))
        if self.rng.random() < 0.03 and case.lang == "en":
            turns = (*turns[:-1], f"{turns[-1]} {self._contact(voices.ASIDES)}")
        return self._row(case, flaw, values, turns, day, prompt)

    def _specimen(self, day: float, prompt: Prompt) -> tuple[Case, Flaw]:
        """A flaw not seen as often as it should be, of a kind this prompt version is prone to."""
        weights = []
        for seen, (case, flaw) in zip(self.seen, self.specimens, strict=True):
            weight = prompt.prone.get(flaw.kind, 1.0) * _BOOST.get(flaw.kind, 1)
            misled = flaw.root_cause == "retrieval_misled" and flaw.verdict != "harmful"
            weight *= 4 if flaw.dissent or misled else 1
            weight *= 1 if seen < flaw.times else 0.02
            weight *= 1 if self._fresh_asks(case, flaw) else 0.02
            if "family-blog" in (flaw.docs or ""):
                weight *= 4 if day > BLOG_REMOVED + 1 else 0
            if flaw.verdict == "harmful" and self.harmful >= self.plan.most_harmful:
                weight = 0
            weights.append(weight)
        (place,) = self.rng.choices(range(len(self.specimens)), weights)
        self.seen[place] += 1
        case, flaw = self.specimens[place]
        self.harmful += flaw.verdict == "harmful"
        return case, flaw

    def _least_seen(self) -> Case:
        """A case that still has a question nobody asked, and few answers so far."""
        open_ = [c for c in self.module.CASES if len(self.asked[c.key]) < len(c.asks)]
        fewest = min(self.good_count[case.key] for case in open_)
        case = self.rng.choice([c for c in open_ if self.good_count[c.key] == fewest])
        self.good_count[case.key] += 1
        return case

    def _ask(self, case: Case, flaw: Flaw | None) -> str | tuple[str, ...]:
        asks = flaw.asks if flaw and flaw.asks else case.asks
        ask = self.rng.choice(self._fresh_asks(case, flaw) or list(asks))
        self.asked[case.key].add(ask)
        return ask

    def _fresh_asks(self, case: Case, flaw: Flaw | None) -> list:
        asks = flaw.asks if flaw and flaw.asks else case.asks
        return [ask for ask in asks if ask not in self.asked[case.key]]

    def _say(self, source: str, values: dict) -> str:
        text = draw_alternatives(fill(unwrap(source), values), self.rng)
        raised = self.rng.random() < 0.5 and self.module is not devtool  # df, psycopg, jq …
        return text[0].upper() + text[1:] if raised else text

    def _contact(self, sentences: list[str]) -> str:
        return contact(sentences, self.rng)

    def _answer(self, case: Case, flaw: Flaw | None, values: dict) -> tuple[Written, str]:
        """The answer and, when it is flawed, an expert's correction."""
        if flaw is None or not flaw.text:
            return write(self.goods[case.key].draw(), values, self.rng), ""
        label = _SPAN_LABEL[flaw.kind]
        answer = write(flaw.text, values, self.rng, label)
        corrected = write(flaw.fix, values, self.rng).text if flaw.fix else answer.corrected
        return answer, corrected

    def _chunks(self, case: Case, flaw: Flaw | None, day: float) -> list[Chunk]:
        shelf = self.module.DOCUMENTS
        if flaw and flaw.docs is not None:
            return [shelf[key] for key in flaw.docs.split()]
        keys = case.docs.split()
        if not keys:
            return []
        old = [
            key
            for other in case.flaws
            for key in (other.docs or "").split()
            if "guide-2019" in key or ("family-blog" in key and day > BLOG_REMOVED)
        ]
        if old and flaw is None and self.rng.random() < 0.3:
            keys.append(
                self.rng.choice(old)
            )  # retrieved as well, and the answer is right all the same
        elif self.rng.random() < 0.3:
            others = [key for key in shelf if shelf[key].document not in _NOISY]
            keys.append(self.rng.choice([key for key in others if key not in keys]))
        return [shelf[key] for key in keys]

    def _row(self, case, flaw, values, turns, day, prompt, **more) -> Row:
        answer, correction = self._answer(case, flaw, values)
        pool = [user for user in self.users if user.lang == case.lang]
        return Row(
            id=_unused(self._id, self.taken),
            module=self.module,
            case=case,
            flaw=flaw,
            values=values,
            turns=turns,
            answer=answer,
            correction=correction,
            chunks=self._chunks(case, flaw, day),
            prompt=prompt,
            user=self.rng.choice(pool),
            day=day,
            clock=self._clock(case),
            session=f"s-{self.rng.getrandbits(40):010x}",
            **more,
        )

    def _clock(self, case: Case) -> tuple[int, int, int]:
        hours = _HOURS[self.module.FEATURE]
        (hour,) = self.rng.choices(
            range(24), [1, 2, 4, 3, 1] + [0] * 19 if case.key in _NIGHT else hours
        )
        return hour, self.rng.randrange(60), self.rng.randrange(60)

    def _twin(self, row: Row) -> Row:
        """Nearly the same question, asked by somebody else on another day."""
        day = self.rng.uniform(0.3, DAYS - 1)
        flaw = row.flaw
        if flaw and (self.rng.random() < 0.5 or (row.misled_by_blog and day < BLOG_REMOVED + 1)):
            flaw = None
        if flaw and flaw.verdict == "harmful":
            flaw = None
        turns = (*row.turns[:-1], _reword(row.turns[-1], self.rng))
        return self._row(
            row.case, flaw, row.values, turns, day, self._prompt_on(day), twin_of=row.id
        )

    def _follow_ups(self, rows: list[Row]) -> list[Row]:
        """The next question in the same conversation."""
        following = []
        bases = [row for row in rows if row.case.then and row.flaw is None and row.day > 1]
        self.rng.shuffle(bases)
        asked = set()
        for row in bases:
            if len(following) == self.plan.follow_ups:
                break
            if row.case.key in asked:
                continue
            asked.add(row.case.key)
            ask, reply = self.rng.choice(row.case.then)
            turns = (*row.turns, row.answer.text, fill(ask, row.values))
            case = replace(row.case, good=[reply], flaws=[], then=[])
            next_row = Row(
                id=_unused(self._id, self.taken),
                module=self.module,
                case=case,
                flaw=None,
                values=row.values,
                turns=turns,
                answer=write(reply, row.values, self.rng),
                correction="",
                chunks=row.chunks,
                prompt=row.prompt,
                user=row.user,
                day=row.day,
                clock=row.clock,
                session=row.session,
                follows=row.id,
                minutes_later=self.rng.uniform(1.2, 6),
            )
            following.append(next_row)
        return following

    def _id(self) -> str:
        rng, style = self.rng, self.rng.random()
        code = f"{rng.getrandbits(24):06x}"
        match self.module.FEATURE:
            case "tax_help" if style < 0.12:
                new = f"tax/2026/de-{rng.choice(['be', 'by', 'nw', 'hh'])}/{code}"
            case "pharmacy" if style < 0.10:
                new = f"chat-2026 branch {rng.randrange(3, 61)} no {rng.randrange(1000, 9999)}"
            case "pharmacy" if style < 0.18:
                new = f"harbour/chat-2026-{code}"
            case "devtool" if style < 0.14:
                new = f"repo/{rng.choice(['shop', 'api', 'infra'])}!{rng.randrange(100, 999)}#note {code}"
            case "devtool" if style < 0.2:
                new = f"chat-2026-{code}?turn=1&v=50%"
            case _:
                new = f"chat-2026-{code}"
        return new


_BOOST = {
    "privacy": 5,
    "slow": 4,
    "harmful": 2.5,
    "too_long": 2,
    "off_topic": 2,
    "source_irrelevant": 2,
    "misunderstood": 2,
}
_NOISY = {"guide-2019", "family-blog", "kontor-help", "app-help", "release-notes"}

_SPAN_LABEL = {
    "factual_error": "wrong",
    "fabricated": "unsupported",
    "outdated": "outdated",
    "contradicts_source": "wrong",
    "source_irrelevant": "missing_source",
    "incomplete": "misleading",
    "misunderstood": "misleading",
    "off_topic": "misleading",
    "format": "wrong",
    "too_long": "misleading",
    "tone": "misleading",
    "refused_wrongly": "wrong",
    "biased": "harmful",
    "harmful": "harmful",
    "privacy": "privacy",
    "slow": "misleading",
}

_REGIONS_OF = {
    "de": ("DE-BE", "DE-BY", "AT-9", "CH-ZH"),
    "fr": ("FR-ARA", "FR-GES", "CH-GE"),
    "ar": ("DE-NW", "AE-DU", "EG-C"),
    "he": ("IL-TA", "DE-BE"),
}


def _users(module: ModuleType, rng: Random, taken: set[str]) -> list[User]:
    """The people of a field: most write English, some of each other language that has cases."""
    langs = sorted({case.lang for case in module.CASES} - {"en"})
    users = []
    for lang in ["en"] * 84 + [lang for lang in langs for _ in range(5)]:
        name = _unused(
            lambda: f"{rng.choice(voices.FIRST_NAMES)}.{rng.choice(voices.LAST_NAMES)}", taken
        )
        has_email = rng.random() < 0.28
        users.append(
            User(
                id=_unused(lambda: f"u-{rng.randrange(10_000, 99_999)}", taken),
                name=name,
                role=rng.choice(module.ROLES),
                region=rng.choice(_REGIONS_OF.get(lang) or module.REGIONS),
                lang=lang,
                has_email=has_email,
                consents=has_email and rng.random() < 0.88,
            )
        )
    return users


def _unused(draw: Callable[[], str], taken: set[str]) -> str:
    """Draw until it is something new."""
    while (new := draw()) in taken:
        pass
    taken.add(new)
    return new


def contact(sentences: list[str], rng: Random) -> str:
    name = f"{rng.choice(voices.FIRST_NAMES)}.{rng.choice(voices.LAST_NAMES)}"
    return (
        fill(rng.choice(sentences), {})
        .replace("{name}", name)
        .replace("{n:02}", f"{rng.randrange(10, 99)}")
    )


def _reword(text: str, rng: Random) -> str:
    """The same question from other fingers: case, a typo, a greeting, a tail."""
    words = text.split(" ")
    long_ones = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if long_ones and rng.random() < 0.6:
        place = rng.choice(long_ones)
        word = words[place]
        at = rng.randrange(1, len(word) - 2)
        words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    new = " ".join(words)
    change = rng.choice(["lower", "tail", "plain", "head"])
    if change == "lower":
        return new.lower().rstrip("?.!")
    if change == "tail":
        return new.rstrip("?.!") + rng.choice(["??", "? thx", " ?", "? 🙏"])
    if change == "head" and new.isascii():
        return rng.choice(["Hi, ", "hello! ", "Hey, "]) + new[0].lower() + new[1:]
    return new.rstrip("?.!") if new != text else new + " …"
