"""A verdict as a terminal, a pull request and a test report show it."""

import re
import xml.etree.ElementTree as ElementTree

MOST_LISTED = 20
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = re.compile("[\t\n\v\f\r\u0085\u2028\u2029]+")
_STEERS = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~@])")


def plain(run: dict) -> str:
    """The verdict first, then why, what broke, what was repaired."""
    summary = run["summary"]
    lines = [f"{_verdict(run)}: {summary['passed_cases']} of {summary['cases']} cases pass"]
    lines += [f"  {reason}" for reason in summary["reasons"]]
    if not run["passed"] and run.get("is_accepted"):
        lines.append(f"  {run['overridden_by'] or 'A lead'} accepted it: {run['override_reason']}")
    comparison = summary["comparison"] or {}
    for word in ("broken", "repaired"):
        cases = comparison.get(word, [])
        for case in cases[:MOST_LISTED]:
            lines.append(f"  {word}: {case['id']} ({case['severity']}) {case['why']}".rstrip())
        lines += [f"  {word}: {rest}" for rest in _rest(comparison, word)]
    for sentence, ids in _asides(summary):
        lines.append(f"  {sentence}: {', '.join(ids)}")
    lines += [f"  {sentence}" for sentence in _of_the_judge(summary)]
    lines.append(f"  {run['url']}")
    return "".join(f"{_line(line)}\n" for line in lines)


def markdown(run: dict) -> str:
    """For a pull request: a table of shares with what was needed, then the cases that changed. Texts of others are escaped."""
    summary = run["summary"]
    mark = "✅" if run["passed"] else "❌"
    lines = [f"### {mark} Gold gate: {_verdict(run)}", ""]
    where = f"{run['split']} of version {run['version']}"
    lines += [f"{_escaped(run['candidate'])} against [{where}]({run['url']})", ""]
    lines += [f"- {_escaped(reason)}" for reason in summary["reasons"]] + [""]
    lines += ["| of | pass | share | 95 % interval | needed |", "|---|---|---|---|---|"]
    groups = {
        "all": summary["overall"],
        **summary["severities"],
        **summary["categories"],
    }
    for name, group in groups.items():
        counted = f"{group['passed']} / {group['cases']}"
        interval = f"{_percent(group['low'])} – {_percent(group['high'])}"
        needed = _percent(group["needed"]) if group["needed"] is not None else ""
        lines.append(
            f"| {_escaped(name)} | {counted} | {_percent(group['rate'])} | {interval} | {needed} |"
        )
    comparison = summary["comparison"] or {}
    for word, title in (("broken", "Broke"), ("repaired", "Repaired")):
        cases = comparison.get(word, [])
        if cases:
            lines += ["", f"**{title}** ({comparison.get(f'{word}_count', len(cases))})", ""]
            lines += [_listed(case) for case in cases[:MOST_LISTED]]
            lines += [f"- {rest}" for rest in _rest(comparison, word)]
    asides = [
        f"- {sentence}: {', '.join(f'`{each}`' for each in ids)}"
        for sentence, ids in _asides(summary)
    ]
    asides += [f"- {_escaped(sentence)}" for sentence in _of_the_judge(summary)]
    return "\n".join([*lines, *([""] if asides else []), *asides]) + "\n"


def junit(run: dict, results: list[dict]) -> bytes:
    """One test case for each attempt at each gold case, and one for each that nobody answered."""
    summary = run["summary"]
    left_out = set(summary.get("contaminated", []))
    answered = {each["id"] for each in results}
    missing = [each for each in summary.get("failed", []) if each["id"] not in answered]
    unnamed = max(summary.get("missing", 0) - len(missing), 0)  # the summary names the first ones
    missing += [
        {"id": f"unanswered {number}", "why": "No answer was sent."}
        for number in range(len(missing) + 1, len(missing) + unnamed + 1)
    ]
    outcomes = [None if each["id"] in left_out else each["passed"] for each in results]
    name = f"gold v{run['version']} {run['split']}"
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(results) + len(missing) + 1),
        failures=str(outcomes.count(False) + len(missing) + (not run["passed"])),
        errors="0",
        skipped=str(outcomes.count(None)),
    )
    if judge := summary.get("judge"):
        properties = ElementTree.SubElement(suite, "properties")
        for about, value in (
            ("judge", judge["model"]),
            ("judge.agreed", judge["agreed"]),
            ("judge.asked", judge["asked"]),
            ("judge.is_trusted", str(judge["is_trusted"]).lower()),
        ):
            ElementTree.SubElement(properties, "property", name=about, value=_xml(str(value)))
    verdict = ElementTree.SubElement(suite, "testcase", classname=name, name="verdict")
    if not run["passed"]:
        reasons = "\n".join(summary["reasons"])
        ElementTree.SubElement(verdict, "failure", message=_xml(reasons)).text = run["url"]
    for each, passed in zip(results, outcomes, strict=True):
        case = ElementTree.SubElement(
            suite, "testcase", classname=name, name=f"{each['id']} #{each['attempt']}"
        )
        if passed is False:
            why = [check["why"] for check in each["checks"] if check["passed"] is False]
            failure = ElementTree.SubElement(case, "failure", message=_xml(" ".join(why)))
            failure.text = _xml(each["output"])
        elif passed is None:
            is_left_out = each["id"] in left_out
            why = (
                "It or a twin of it is in a training file."
                if is_left_out
                else "Only a judge could decide."
            )
            ElementTree.SubElement(case, "skipped", message=why)
    for each in missing:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=each["id"])
        ElementTree.SubElement(case, "failure", message=_xml(each["why"]))
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


_ASIDES = {
    "flaky": "passing only sometimes, counted as failed",
    "undecided": "only a judge could decide, counted neither way",
    "contaminated": "in a training file or a twin of what is, left out",
}


def _asides(summary):
    """(how many and what of, the first of their ids) of what deserves a line of its own."""
    for name, words in _ASIDES.items():
        ids = summary.get(name) or []
        if ids:
            number = summary.get("counts", {}).get(name, len(ids))
            yield (
                f"{number} {words}",
                [*ids[:MOST_LISTED], *(["…"] if number > MOST_LISTED else [])],
            )


def _of_the_judge(summary):
    """How far the judge agrees with the people, and whether it had a say."""
    if judge := summary.get("judge"):
        say = "" if judge["is_trusted"] else "; too little, it had no say"
        kinds = ", ".join(
            f"{judge[kind]['agreed']} of {judge[kind]['asked']} {kind}"
            for kind in ("ideal", "rejected")
            if kind in judge
        )
        yield (
            f"judge {judge['model']}: agrees with the people on {judge['agreed']} of {judge['asked']} answers"
            f"{f' ({kinds})' if kinds else ''}{say}"
        )


def _rest(comparison, word):
    """How many more there are than are listed."""
    cases = comparison.get(word, [])
    more = comparison.get(f"{word}_count", len(cases)) - min(len(cases), MOST_LISTED)
    if more > 0:
        yield f"and {more} more"


def _verdict(run) -> str:
    if run["passed"]:
        return "passes"
    return "accepted although it fails" if run.get("is_accepted") else "FAILS"


def _listed(case) -> str:
    said = f": {_escaped(case['why'])}" if case["why"] else ""
    sometimes = ", passes only sometimes" if case.get("is_flaky") else ""
    return f"- `{case['id']}` ({case['severity']}{sometimes}){said}"


def _percent(share) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _line(text: str) -> str:
    """One line of a terminal: what others wrote begins no line of its own (CI runs some) and steers nothing."""
    return _STEERS.sub("\ufffd", _BREAKS.sub(" ", text))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
