"""Drafts to file, a tame one and a hostile one."""

from triage.trackers.base import Facts, Heading, Paragraph, TicketDraft, Verbatim

MARKER = "3f0c9a52-7a7e-4d0e-9d1b-2f6f6c1f4a10"
OTHER_MARKER = "5a8be6b1-6f0e-4c3e-8a44-0d1c5b7a9e21"

HOSTILE = (
    "@everyone @channel [~accountid:1] <!channel> ping me a@evil.test\n"
    "![x](https://evil.test/pixel.png) [click](javascript:alert(1)) https://evil.test/login\n"
    "```\n~~~\n````\n# heading\n<img src=x onerror=alert(1)>\n{code}{panel}h1. wiki\n"
    "| a | b |\n- [ ] task :smile: $x$ ---\n\n> quote\n    indented\n"
    "nul \x00 bell \x07 esc \x1b[31m c1 \x85\x9b del \x7f lone \ud800 non \ufffe "
    "rtl \u202egnp.exe\u202c iso \u2066x\u2069 sep \u2028para\u2029 crlf\r\nend"
)


def draft(**changes):
    values = {
        "title": "Outdated tax rate quoted",
        "blocks": (
            Heading("What happened"),
            Paragraph("Three people reported this answer.\nIt cites last year's guide."),
            Facts((("Model", "gpt-x 1.2"), ("Prompt", "tax v13"), ("Empty", ""))),
            Heading("Answer"),
            Verbatim("You can deduct 30 %.\n\n  Indented, and a tab:\tend."),
        ),
        "marker": MARKER,
        "link_back_url": "https://hub.example.com/p/tax/problems/7",
        "severity": "critical",
        "labels": ("feedback", "critical"),
        "trace_url": "https://traces.example.com/t/abc?span=1&x=(y)",
    }
    return TicketDraft(**{**values, **changes})


def hostile_draft(**changes):
    return draft(
        title="Broken\nanswer @everyone \u202e " + "long " * 100,
        blocks=(
            Heading(HOSTILE),
            Paragraph(HOSTILE),
            Facts(((HOSTILE, HOSTILE), ("Model", "`` ` ``"), ("Tick", "`"))),
            Verbatim(HOSTILE),
        ),
        labels=("two words", "fbh-" + OTHER_MARKER, "", "tab\tbed", "ok", "ok", "x" * 400),
        trace_url="javascript:alert(1)",
        **changes,
    )
