"""Hostile text in a ticket: all of it readable, none of it working."""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt

from tests.triage.trackers.drafts import HOSTILE, MARKER, draft, hostile_draft
from triage.trackers import rendering
from triage.trackers.base import Facts, Heading, Paragraph, Verbatim

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]")


def nodes(node):
    yield node
    for child in node.get("content", ()):
        yield from nodes(child)


def markdown_tokens(text):
    """What a reader makes of it that turns bare addresses into links and knows tables."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for token in parser.parse(text):
        yield token
        yield from token.children or ()


def links_in(text):
    return [t.attrGet("href") for t in markdown_tokens(text) if t.type == "link_open"]


# --- cleaning -------------------------------------------------------------------------------------


def test_clean_keeps_text_and_drops_what_no_tracker_stores():
    cleaned = rendering.clean(HOSTILE)

    assert not FORBIDDEN.search(cleaned)
    assert "\r" not in cleaned
    assert "sep \npara\n crlf\nend" in cleaned
    assert rendering.clean("naïve 👩‍👩‍👧 עברית\tx\ny") == "naïve 👩‍👩‍👧 עברית\tx\ny"


def test_one_line_counts_utf16_and_never_splits_a_character():
    assert rendering.one_line(" a\n\nb\tc ") == "a b c"
    assert rendering.one_line("", otherwise="Untitled") == "Untitled"
    cut = rendering.one_line("👩" * 200)
    assert cut == "👩" * 127 + "…"
    assert rendering.one_line("x" * 255) == "x" * 255
    assert rendering.one_line("x" * 256) == "x" * 254 + "…"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://a.test/x?y=1&z=(2)", "https://a.test/x?y=1&z=%282%29"),
        ("http://a.test/x", "http://a.test/x"),
        ("https://a.test/<b>\"'`[c]|\\", "https://a.test/%3Cb%3E%22%27%60%5Bc%5D%7C%5C"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https://user:pass@a.test/", ""),
        ("//a.test/", ""),
        ("a.test", ""),
        ("", ""),
        ("https://a.test/" + "x" * 3000, ""),
        ("https://[", ""),
    ],
)
def test_safe_url_lets_only_plain_web_addresses_through(given, expected):
    assert rendering.safe_url(given) == expected


# --- ADF ------------------------------------------------------------------------------------------


def test_adf_description_of_a_tame_draft():
    document = rendering.adf_description(draft())

    assert document["content"][:3] == [
        {
            "type": "heading",
            "attrs": {"level": 3},
            "content": [{"type": "text", "text": "What happened"}],
        },
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "Three people reported this answer."},
                {"type": "hardBreak"},
                {"type": "text", "text": "It cites last year's guide."},
            ],
        },
        {
            "type": "bulletList",
            "content": [
                {
                    "type": "listItem",
                    "content": [
                        {
                            "type": "paragraph",
                            "content": [
                                {
                                    "type": "text",
                                    "text": f"{name}: ",
                                    "marks": [{"type": "strong"}],
                                },
                                {"type": "text", "text": value},
                            ],
                        }
                    ],
                }
                for name, value in (("Model", "gpt-x 1.2"), ("Prompt", "tax v13"), ("Empty", "—"))
            ],
        },
    ]
    assert document["content"][4] == {
        "type": "codeBlock",
        "content": [
            {"type": "text", "text": "You can deduct 30 %.\n\n  Indented, and a tab:\tend."}
        ],
    }
    assert [
        mark["attrs"]["href"] for node in nodes(document) for mark in node.get("marks", ())
        if mark["type"] == "link"
    ] == [
        "https://hub.example.com/p/tax/problems/7",
        "https://traces.example.com/t/abc?span=1&x=%28y%29",
    ]  # fmt: skip
    assert document["content"][-1]["content"] == [
        {"type": "text", "text": f"Reference fbh-{MARKER}"}
    ]


def test_adf_of_hostile_text_is_text_nodes_and_our_own_links_only():
    document = rendering.adf_description(hostile_draft())

    assert {node["type"] for node in nodes(document)} == {
        "doc", "heading", "paragraph", "text", "hardBreak", "bulletList", "listItem", "codeBlock",
        "rule",
    }  # fmt: skip
    links = [
        mark["attrs"]["href"]
        for node in nodes(document)
        for mark in node.get("marks", ())
        if mark["type"] == "link"
    ]
    assert links == ["https://hub.example.com/p/tax/problems/7"]
    texts = [node["text"] for node in nodes(document) if node["type"] == "text"]
    assert all(texts) and not any(FORBIDDEN.search(text) for text in texts)
    assert any("![x](https://evil.test/pixel.png)" in text for text in texts)
    assert any(text == "Trace: javascript:alert(1)" for text in texts)


@pytest.mark.parametrize(
    "blocks",
    [
        (Verbatim("a" * 200_000),),
        (Verbatim('"\\\n' * 60_000),),
        (Verbatim("👩" * 100_000), Verbatim("b" * 100_000), Paragraph("c" * 50_000)),
        tuple(Verbatim("x" * 300) for _ in range(2000)),
        tuple(Facts((("n" * 500, "v" * 5_000),)) for _ in range(300)),
        tuple(Heading("h" * 1000) for _ in range(500)),
    ],
    ids=["long", "escaped", "wide", "many", "facts", "headings"],
)
def test_adf_stays_under_the_limit_and_keeps_links_and_reference(blocks):
    document = rendering.adf_description(draft(blocks=blocks))

    assert len(json.dumps(document, ensure_ascii=False).encode("utf-16-le")) // 2 <= 32_000
    assert document["content"][-1]["content"][0]["text"].startswith("Open in FeedbackHub") or (
        f"fbh-{MARKER}" in json.dumps(document["content"][-1])
    )
    assert "https://hub.example.com/p/tax/problems/7" in json.dumps(document)
    assert "FeedbackHub." in json.dumps(document)


def test_a_cut_text_says_how_much_is_missing():
    document = rendering.adf_description(draft(blocks=(Verbatim("a" * 40_000),)))

    assert (
        "… 24000 more characters stand in FeedbackHub."
        in document["content"][0]["content"][0]["text"]
    )


@pytest.mark.shared
def test_adf_passes_atlassians_own_schema():
    schema = Path(os.environ["FEEDBACKHUB_SHARED"]) / "contracts" / "adf-v1.schema.json"
    validator = jsonschema.Draft4Validator(json.loads(schema.read_text()))

    for document in (
        rendering.adf_description(draft()),
        rendering.adf_description(hostile_draft()),
        rendering.adf_description(draft(blocks=())),
        rendering.adf_description(
            draft(blocks=(Heading(""), Paragraph(""), Paragraph("\n\n\n"), Facts(()), Verbatim("")))
        ),
        rendering.adf_text("One.\n\nTwo.\nThree.", "FeedbackHub x"),
        rendering.adf_text((Paragraph(HOSTILE), Verbatim(HOSTILE)), "FeedbackHub x"),
    ):
        assert [error.message for error in validator.iter_errors(document)] == []


# --- Markdown -------------------------------------------------------------------------------------


def test_markdown_description_of_a_tame_draft():
    assert rendering.markdown_description(draft()) == (
        "### What happened\n\n"
        "Three people reported this answer\\.  \nIt cites last year\\'s guide\\.\n\n"
        "- **Model:** `gpt-x 1.2`\n- **Prompt:** `tax v13`\n- **Empty:** `—`\n\n"
        "### Answer\n\n"
        "```\nYou can deduct 30 %.\n\n  Indented, and a tab:\tend.\n```\n\n"
        "---\n\n"
        "[Open in FeedbackHub](<https://hub.example.com/p/tax/problems/7>)  \n"
        "[Trace at traces\\.example\\.com](<https://traces.example.com/t/abc?span=1&x=%28y%29>)  \n"
        f"Reference fbh-{MARKER}"
    )


def test_markdown_of_hostile_text_makes_no_image_no_html_and_no_link_but_ours():
    text = rendering.markdown_description(hostile_draft())
    tokens = list(markdown_tokens(text))

    assert not {"image", "html_block", "html_inline", "table_open", "blockquote_open"} & {
        token.type for token in tokens
    }
    assert links_in(text) == ["https://hub.example.com/p/tax/problems/7"]
    assert not FORBIDDEN.search(text)
    fences = [token for token in tokens if token.type == "fence"]
    assert [fence.content for fence in fences] == [rendering.clean(HOSTILE) + "\n"]
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]


def test_outside_code_no_mention_and_no_bare_address_is_left():
    text = rendering.markdown_description(hostile_draft())
    outside = [
        token.content for token in markdown_tokens(text) if token.type in ("text", "text_special")
    ]

    shown = "".join(outside)
    assert "everyone" in shown  # it is there to be read
    assert not re.search(r"@\w", shown)
    assert not re.search(r"(?:https?|javascript|mailto):\w*//?", shown)
    assert not re.search(
        r"(?i)\bwww\.", rendering.escape_markdown("www.evil.test").replace("\\", "")
    )


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 4, 10, 200])
def test_a_fence_is_longer_than_any_run_inside(ticks):
    inside = f"a\n{'`' * ticks}\nb {'`' * ticks} c"

    tokens = list(MarkdownIt("commonmark").parse(rendering.fenced(inside)))

    assert [(t.type, t.content) for t in tokens] == [("fence", inside + "\n")]


@pytest.mark.parametrize("text", ["`", "``", "a`b", "`a", "a`", "` `", "``a``b`", "plain"])
def test_a_code_span_gives_back_its_text(text):
    tokens = list(markdown_tokens(rendering.code_span(text)))

    assert [t.content for t in tokens if t.type == "code_inline"] == [text]


@pytest.mark.parametrize(
    "text",
    ["1. one", "12) x", "- a", "+ a", "* a", "# a", "> a", "===", "---", "    a", "~~~", "|a|"],
)
def test_escaped_text_starts_no_block(text):
    tokens = list(MarkdownIt("gfm-like", {"linkify": False}).parse(rendering.escape_markdown(text)))

    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]


def test_markdown_stays_under_its_limit():
    for blocks in ((Verbatim("a" * 300_000),), tuple(Verbatim("x" * 400) for _ in range(3000))):
        text = rendering.markdown_description(draft(blocks=blocks))
        assert len(text) <= 50_000
        assert text.endswith(f"Reference fbh-{MARKER}")
