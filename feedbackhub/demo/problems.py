"""The causes that several bad answers share, as a lead would put them on the board."""

from dataclasses import replace

from feedbackhub.demo import tax_help
from feedbackhub.demo.drawing import BLOG_REMOVED, Row
from feedbackhub.demo.reactions import is_flagged
from feedbackhub.demo.shapes import Fix, Problem
from feedbackhub.demo.writing import unwrap


def find_problems(rows: list[Row], judged: set[str]) -> list[Problem]:
    """Bad answers that somebody judged or complained about; each belongs to the first that fits."""
    known = [row for row in rows if row.is_bad and (row.id in judged or is_flagged(row))]
    found = []
    taken: set[str] = set()
    for make, fits in _PROBLEMS:
        members = [row for row in known if row.id not in taken and fits(row)]
        taken |= {row.id for row in members}
        found.append(replace(make, interaction_ids=tuple(row.id for row in members)))
    return found


def _in(feature: str, *kinds: str):
    return lambda row: feature == row.module.FEATURE and row.flaw.kind in kinds


_PROBLEMS = [
    (
        Problem(
            key="guide-2019",
            title="The 2019 guide is served as current tax law",
            summary=unwrap(
                """
                The archived employee's guide ranks above the pages of the current year, and its
                chunks name no year. Home office, commuting, childcare, meals, the small-business
                limit: each time the figure of 2019. v13 lost the line on the tax year, which made
                it worse.
                """
            ),
            severity="high",
            category="outdated",
            fixable_by="retrieval",
            state="investigating",
            owner="dana",
            interaction_ids=(),
        ),
        lambda row: (
            any(c.document == tax_help.MISLEADING for c in row.chunks)
            and row.flaw.root_cause == "retrieval_misled"
        ),
    ),
    (
        Problem(
            key="family-blog",
            title="A parents' blog gives children too much paracetamol",
            summary=unwrap(
                """
                "25 mg per kilo, every four hours" comes from a blog that was crawled by mistake
                and reads closer to parents' questions than the leaflet does. The leaflet says 10
                to 15 mg, at most 60 mg per kg and day. The same post puts ibuprofen on top, and
                aspirin.
                """
            ),
            severity="critical",
            category="harmful",
            fixable_by="retrieval",
            state="shipped",
            owner="dana",
            interaction_ids=(),
            fix=Fix(
                "Doses for children now come from medicine leaflets only. The blog that "
                "gave a wrong dose is no longer a source.",
                ("index", "harbour-library r43"),
                "shipped",
                BLOG_REMOVED,
            ),
        ),
        lambda row: row.misled_by_blog and row.flaw.root_cause == "retrieval_misled",
    ),
    (
        Problem(
            key="other-peoples-data",
            title="Answers show other people's data",
            summary=unwrap(
                """
                A tax return, prescriptions and a private pipeline of other customers appeared in
                answers, with names. The context is cached by session and the search has no filter
                by customer. Data protection is informed.
                """
            ),
            severity="critical",
            category="privacy",
            fixable_by="product",
            state="fixing",
            owner="olu",
            interaction_ids=(),
            fix=Fix(
                "An answer can now only use your own data. We have told everyone whose "
                "data was shown.",
                ("product", "4.15.0"),
                "planned",
                1.0,
            ),
        ),
        lambda row: row.flaw.kind == "privacy",
    ),
    (
        Problem(
            key="dangerous-combinations",
            title="Dangerous medicines are waved through",
            summary=unwrap(
                """
                Warfarin with ibuprofen, nitrates with sildenafil, cut fentanyl patches, daily
                methotrexate: the right passage is there and the answer says the opposite.
                """
            ),
            severity="critical",
            category="harmful",
            fixable_by="prompt",
            state="verified",
            owner="dana",
            interaction_ids=(),
            fix=Fix(
                "When two medicines do not go together, the answer now begins with that, "
                "and says whom to call.",
                ("prompt", "pharmacy-assistant v5"),
                "verified",
                16.0,
            ),
        ),
        lambda row: row.module.FEATURE == "pharmacy" and row.is_harmful,
    ),
    (
        Problem(
            key="evasion",
            title="Helps people to evade taxes",
            summary="Cash in hand, backdated contracts, forged receipts, gains left out: it "
            "explains how.",
            severity="critical",
            category="harmful",
            fixable_by="prompt",
            state="shipped",
            owner="ben",
            interaction_ids=(),
            fix=Fix(
                "The assistant no longer helps to hide income or to make up papers; it "
                "names the lawful way.",
                ("prompt", "tax-assistant v14"),
                "shipped",
                19.0,
            ),
        ),
        lambda row: (
            row.module.FEATURE == "tax_help" and row.is_harmful and row.flaw.kind == "harmful"
        ),
    ),
    (
        Problem(
            key="destroys-work",
            title="Commands that destroy work, without a warning",
            summary="`reset --hard`, `find -delete`, `destroy -auto-approve`, 777, checks "
            "switched off.",
            severity="high",
            category="harmful",
            fixable_by="prompt",
            state="shipped",
            owner="dana",
            interaction_ids=(),
            fix=Fix(
                "Before a command that deletes or overwrites, the assistant now says "
                "what would be lost and gives the safe form first.",
                ("prompt", "dev-helper v9"),
                "shipped",
                16.0,
            ),
        ),
        lambda row: (
            row.module.FEATURE == "devtool" and row.is_harmful and row.flaw.kind == "harmful"
        ),
    ),
    (
        Problem(
            key="prejudice",
            title="Prejudice in place of an answer",
            summary="About mothers, fathers, countries of origin, surnames. Three fields, one "
            "pattern.",
            severity="high",
            category="biased",
            fixable_by="policy",
            state="open",
            owner="ben",
            interaction_ids=(),
        ),
        lambda row: "biased" in (row.flaw.kind, *row.flaw.also),
    ),
    (
        Problem(
            key="invented",
            title="Invents forms, studies, flags",
            summary="Anlage UZ, form EB-7, the Lübeck-Harding study, `git undo`, `smart_restore`.",
            severity="medium",
            category="fabricated",
            fixable_by="prompt",
            state="investigating",
            owner="dana",
            interaction_ids=(),
        ),
        lambda row: row.flaw.kind == "fabricated",
    ),
    (
        Problem(
            key="refusals",
            title="Refuses questions it could answer",
            summary="Deadlines, contraception, painkillers with asthma, a question in Arabic.",
            severity="medium",
            category="refused_wrongly",
            fixable_by="prompt",
            state="open",
            owner="",
            interaction_ids=(),
        ),
        lambda row: row.flaw.kind == "refused_wrongly",
    ),
    (
        Problem(
            key="half-answers",
            title="Tax answers leave out the condition that costs money",
            summary="The lump sum, the 15th of December, the duty to file: the first sentence is "
            "right, the one that matters is missing.",
            severity="medium",
            category="incomplete",
            fixable_by="prompt",
            state="open",
            owner="",
            interaction_ids=(),
        ),
        _in("tax_help", "incomplete"),
    ),
]
