"""A verdict as a terminal, a pull request and a test report show it."""

import re
import xml.etree.ElementTree as ElementTree

MOST_LISTED = 20
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~@])")


def plain(run: dict) -> str:
    """The verdict first, then why, what broke, what was repaired."""
    summary = run["summary"]
    lines = [f"{_verdict(run)}: {summary['passed_cases']} of {summary['cases']} cases pass"]
    lines += [f"  {reason}" for reason in summary["reasons"]]
    comparison = summary["comparison"] or {}
    for word in ("broken", "repaired"):
        for case in comparison.get(word, [])[:MOST_LISTED]:
            lines.append(f"  {word}: {case['id']} ({case['severity']}) {case['why']}".rstrip())
    if summary["flaky"]:
        lines.append(f"  passing only sometimes: {', '.join(summary['flaky'][:MOST_LISTED])}")
    return "\n".join([*lines, f"  {run['url']}", ""])


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
            lines += ["", f"**{title}** ({len(cases)})", ""]
            lines += [_listed(case) for case in cases[:MOST_LISTED]]
    return "\n".join(lines) + "\n"


def junit(run: dict, results: list[dict]) -> bytes:
    """One test case for each attempt at each gold case."""
    failed = [each for each in results if each["passed"] is False]
    skipped = [each for each in results if each["passed"] is None]
    name = f"gold v{run['version']} {run['split']}"
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(results) + 1),
        failures=str(len(failed) + (not run["passed"])),
        errors="0",
        skipped=str(len(skipped)),
    )
    verdict = ElementTree.SubElement(suite, "testcase", classname=name, name="verdict")
    if not run["passed"]:
        reasons = "\n".join(run["summary"]["reasons"])
        ElementTree.SubElement(verdict, "failure", message=_xml(reasons)).text = run["url"]
    for each in results:
        case = ElementTree.SubElement(
            suite, "testcase", classname=name, name=f"{each['id']} #{each['attempt']}"
        )
        if each["passed"] is False:
            why = [check["why"] for check in each["checks"] if check["passed"] is False]
            failure = ElementTree.SubElement(case, "failure", message=_xml(" ".join(why)))
            failure.text = _xml(each["output"])
        elif each["passed"] is None:
            ElementTree.SubElement(case, "skipped", message="Only a judge could decide.")
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


def _verdict(run) -> str:
    return "passes" if run["passed"] else "FAILS"


def _listed(case) -> str:
    said = f": {_escaped(case['why'])}" if case["why"] else ""
    return f"- `{case['id']}` ({case['severity']}){said}"


def _percent(share) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
