"""What can be said about an answer in a new project: the categories, root causes and span labels, with their guide.

Each category says what it means, how bad it is unless somebody says otherwise, how an answer looks that has the fault
(`bad_example`) and how one looks that has not (`good_example`), and which of the reporter's own words suggest it.
"""

from annotation.models import LabelSchema
from feedbackhub.capture.vocabulary import ReportedCategory as Reported
from feedbackhub.capture.vocabulary import Severity

NAME = "default"


def _category(key, name, severity, meaning, *, good, bad, reported_as=()):
    return {
        "key": key,
        "name": name,
        "parent": "",
        "meaning": meaning,
        "default_severity": str(severity),
        "good_example": good,
        "bad_example": bad,
        "reported_as": [str(word) for word in reported_as],
    }


CATEGORIES = [
    _category(
        "factual_error",
        "Factual error",
        Severity.MEDIUM,
        "It says something untrue about the world, whatever the sources say.",
        good="Books are taxed at the reduced rate of 7 %.",
        bad="Books are taxed at the full rate of 19 %.",
        reported_as=[Reported.WRONG],
    ),
    _category(
        "fabricated",
        "Fabricated",
        Severity.HIGH,
        "It invents what does not exist: a paragraph, a product, a study, a function, a quotation.",
        good="I found no ruling on this. The nearest one is about rented flats.",
        bad="The ruling XR 99/2041 settled this for good.",
    ),
    _category(
        "outdated",
        "Outdated",
        Severity.MEDIUM,
        "It was true once and is not any more.",
        good="Since this January the allowance is 1,230.",
        bad="The allowance is 1,000, as it was until last year.",
        reported_as=[Reported.OUTDATED],
    ),
    _category(
        "contradicts_source",
        "Contradicts its source",
        Severity.HIGH,
        "A document that the answer was given says something else.",
        good="The leaflet says twice a day, so take it twice a day.",
        bad="Take it four times a day, although the leaflet beside it says twice.",
    ),
    _category(
        "source_irrelevant",
        "Source irrelevant",
        Severity.LOW,
        "It leans on a document that has nothing to do with the question.",
        good="The page on refunds answers a question about a refund.",
        bad="A page on shipping is quoted to answer a question about a refund.",
    ),
    _category(
        "incomplete",
        "Incomplete",
        Severity.MEDIUM,
        "Something that the person needs is missing: a step, a condition, a warning, half of the question.",
        good="Yes, if you ride it to work on most days, and keep the receipt.",
        bad="Yes.",
        reported_as=[Reported.UNHELPFUL],
    ),
    _category(
        "misunderstood",
        "Misunderstood",
        Severity.MEDIUM,
        "It answers a question that the person did not ask.",
        good="Asked how to cancel an order, it says how to cancel the order.",
        bad="Asked how to cancel an order, it says how to delete the account.",
    ),
    _category(
        "off_topic",
        "Off topic",
        Severity.LOW,
        "It wanders off to what this product is not for.",
        good="I can help with your taxes. For the weather please look elsewhere.",
        bad="Tomorrow will be sunny. By the way, here is a recipe.",
        reported_as=[Reported.OFF_TOPIC],
    ),
    _category(
        "format",
        "Format",
        Severity.LOW,
        "The content may be right, its form is not: a broken table or code block, the wrong language or unit.",
        good="A list of four steps, each on a line of its own.",
        bad="Four steps in one line, with the asterisks of a list showing.",
    ),
    _category(
        "too_long",
        "Too long",
        Severity.LOW,
        "What matters drowns in what does not.",
        good="Two sentences that answer the question, and where to read on.",
        bad="Six paragraphs before the answer, three of them the same.",
        reported_as=[Reported.TOO_LONG],
    ),
    _category(
        "tone",
        "Tone",
        Severity.LOW,
        "It speaks to the person in a way that this product must not: cold, curt, jolly, preaching.",
        good="I am sorry for your loss. These are the two forms that you need.",
        bad="Great news, death certificates are easy!",
        reported_as=[Reported.WRONG_TONE],
    ),
    _category(
        "refused_wrongly",
        "Refused wrongly",
        Severity.MEDIUM,
        "It declines what it could and should have answered.",
        good="Ibuprofen and a beer: better not together. This is why.",
        bad="I cannot talk about medicine.",
    ),
    _category(
        "biased",
        "Biased",
        Severity.HIGH,
        "It treats people differently because of who they are, or states a prejudice as a fact.",
        good="Both parents may take leave.",
        bad="As a father you will hardly want to take leave.",
        reported_as=[Reported.BIASED],
    ),
    _category(
        "harmful",
        "Harmful",
        Severity.CRITICAL,
        "Whoever follows it may be hurt: in body, money, rights, or by others.",
        good="Do not take both. Ask your pharmacist today.",
        bad="You can safely take a double dose of both.",
        reported_as=[Reported.HARMFUL],
    ),
    _category(
        "privacy",
        "Privacy",
        Severity.CRITICAL,
        "It gives away what belongs to somebody else, or asks for what it has no need to know.",
        good="I cannot see other customers' orders.",
        bad="Your neighbour's order was delivered on Monday.",
        reported_as=[Reported.PRIVACY],
    ),
    _category(
        "slow",
        "Slow",
        Severity.LOW,
        "The answer came too late to be of use.",
        good="The answer began within two seconds.",
        bad="The answer came after a minute, when the person had left.",
    ),
]

ROOT_CAUSES = [
    {"key": "prompt_ambiguous", "name": "Prompt ambiguous"},
    {"key": "constraint_missing", "name": "Constraint missing"},
    {"key": "wrong_assumption", "name": "Wrong assumption"},
    {"key": "retrieval_missed", "name": "Retrieval missed"},
    {"key": "retrieval_misled", "name": "Retrieval misled"},
    {"key": "document_wrong", "name": "Document wrong"},
    {"key": "model_limit", "name": "Model limit"},
    {"key": "product", "name": "Product"},
]

# A mark ticks the category that it means for the whole answer too; some say nothing of that.
SPAN_LABELS = [
    {"key": "wrong", "name": "Wrong", "category": "factual_error"},
    {"key": "unsupported", "name": "Unsupported", "category": "fabricated"},
    {"key": "outdated", "name": "Outdated", "category": "outdated"},
    {"key": "missing_source", "name": "Source missing"},
    {"key": "misleading", "name": "Misleading"},
    {"key": "harmful", "name": "Harmful", "category": "harmful"},
    {"key": "privacy", "name": "Privacy", "category": "privacy"},
    {"key": "good", "name": "Good"},
]

GUIDELINES = """\
# How to judge

Judge the **answer**, not the question and not the person who complained. Ask yourself: what happens to somebody who
believes it?

## Verdict

- **Correct**: a colleague could send it as it is.
- **Partly right**: it helps, but something in it has to change.
- **Wrong**: somebody who follows it gets it wrong.
- **Harmful**: somebody who follows it may be hurt. When you hesitate between wrong and harmful, choose harmful: a lead
  looks at it the same day.

## Severity

- **None**: nothing to repair.
- **Low**: a nuisance.
- **Medium**: costs time, or a second question.
- **High**: costs money, a deadline or trust.
- **Critical**: health, rights, privacy or safety are at stake.

## Category and cause

Choose every category that applies, the worst first. The cause is your best guess at *why*: was the instruction unclear,
the right document not found, the wrong one found, the document itself wrong? Leave it open when you cannot tell.

## Correction

Write the answer that you would have sent, and change no more than needed. Do not look up what the product could not
know. If nothing has to change, leave the text alone.

## Marks

Select the words that are wrong and mark them, in the answer, in a message or in a source. Marks may overlap.

## When you cannot judge

*Not my field* passes it to a colleague. *Cannot be shown* and *unclear guideline* tell a lead. Nobody counts skips
against you.
"""


def install_schema(project) -> LabelSchema:
    """The project's schema, made from the defaults when it has none."""
    schema = LabelSchema.objects.filter(project=project, name=NAME, is_current=True).first()
    return schema or LabelSchema.objects.create(
        project=project,
        name=NAME,
        categories=CATEGORIES,
        root_causes=ROOT_CAUSES,
        span_labels=SPAN_LABELS,
        guidelines=GUIDELINES,
    )
