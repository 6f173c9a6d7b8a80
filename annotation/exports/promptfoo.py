"""promptfoo tests, one a row, with the prompt and the configuration that run them.

promptfoo executes strings: `{{env.X}}` prints the environment, `file://…` opens the file. Every string variable and every
value of an assertion is therefore spelled so that it comes out as it went in; messages and tools are nested, and these it leaves
alone. `{{tools | dump}}` gives a provider the tools of a case.
No text of ours ever stands in a `javascript` or `python` assertion.
"""

import re

from annotation.exports.cases import Case, Format, LeftOut, ideal_or_assertions, tools_if_used

_OPENS = re.compile(r"\{|#\}")
_FETCHES = ("file://", "package:")


def inert(text: str) -> str:
    """The text spelled so that promptfoo's templates give it back as it was, and no file is opened."""
    spelled = _OPENS.sub(lambda found: "{{'" + found.group() + "'}}", text)
    return "{{''}}" + spelled if text.lstrip().lower().startswith(_FETCHES) else spelled


def rows(case: Case) -> list[dict]:
    if not case.messages:
        raise LeftOut("no_question_at_the_end")
    checks = [
        {"type": "not-equals", "value": inert(text)}
        for text in case.rejected_answers
        if text.strip() not in ("", case.ideal_answer.strip())
    ]
    untold = set()
    for assertion in case.assertions:
        spelled = _CHECKS.get(assertion["kind"])
        if spelled and not (lost := _lost(assertion)):
            checks += spelled(assertion, case.context)
        else:
            untold.add(lost if spelled else assertion["kind"])
            if spelled and assertion["kind"] == "is_json":
                checks += spelled(assertion, case.context)
    return [
        {
            "description": f"gold {case.example_id}",
            "vars": {
                "messages": case.messages,
                "ideal": inert(ideal_or_assertions(case)),
                **tools_if_used(case),
            },
            "assert": checks,
            "metadata": {
                "example": case.example_id,
                "split": case.split,
                "not_checked": sorted(untold),
            },
        }
    ]


def _lost(assertion) -> str:
    """What promptfoo would not check of it, as JavaScript reads patterns, and as it runs a schema's texts."""
    if assertion["kind"] == "matches" and not _IS_JAVASCRIPTS(assertion["pattern"]):
        return "matches"
    return "is_json schema" if assertion["kind"] == "is_json" and assertion.get("schema") else ""


# Plain characters, classes, groups, alternatives and greedy or lazy repeats mean the same in Python and in JavaScript.
_IS_JAVASCRIPTS = re.compile(
    r"""(?: [^\\\[\]{}()*+?]                            # a character, an anchor, a point, a bar
        | \\ [dDwWsSbBtnrfv0\\.^$|?*+()\[\]{}/-]        # an escape that both know
        | \[ \^? (?: [^\\\[\]] | \\ [dDwWsStnrfv\\.^$|?*+()\[\]{}/-] )+ \]
        | \( (?: \?: | \?= | \?! | \?<= | \?<! | (?!\?) ) | \)
        | (?: [*+?] | \{ \d+ (?: , \d* )? \} ) \?? (?! [*+?] )
    )*""",
    re.VERBOSE,
).fullmatch


def _cites_one_of(assertion, documents) -> list[dict]:
    wanted = assertion["documents"]
    names = [
        document[name]
        for document in documents
        if document.get("id") in wanted
        for name in ("title", "url")
        if document.get(name)
    ]
    value = [inert(name) for name in dict.fromkeys([*wanted, *names])]
    return [{"type": "icontains-any", "value": value}]


# Ours in promptfoo's words. It knows no language and no number of words; a schema's texts would be run.
_CHECKS = {
    "must_mention": lambda assertion, documents: [
        {"type": "icontains", "value": inert(text)} for text in assertion["texts"]
    ],
    "must_not_mention": lambda assertion, documents: [
        {"type": "not-icontains", "value": inert(text)} for text in assertion["texts"]
    ],
    "matches": lambda assertion, documents: [
        {"type": "regex", "value": inert(assertion["pattern"])}
    ],
    "is_json": lambda assertion, documents: [{"type": "is-json"}],
    "cites_one_of": _cites_one_of,
    "rubric": lambda assertion, documents: [
        {"type": "llm-rubric", "value": inert(assertion["sentence"])}
    ],
}


_PROMPT = b"{{messages | dump}}\n"
_CONFIGURATION = b"""\
# promptfoo validate -c promptfooconfig.yaml
# promptfoo eval -c promptfooconfig.yaml --no-cache --no-write
description: Gold cases of FeedbackHub
prompts:
  - file://prompt.json
providers:
  - echo # put yours here
tests: file://rows.jsonl
"""


FORMAT = Format(
    name="promptfoo",
    label="promptfoo tests",
    description="Tests with their prompt and configuration. An answer that was rejected before fails; what people wrote is never executed.",
    is_training=False,
    rows=rows,
    beside=lambda facts: {"prompt.json": _PROMPT, "promptfooconfig.yaml": _CONFIGURATION},
)
