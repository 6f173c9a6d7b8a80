"""Tickets as trackers want them: Atlassian Document Format, and Markdown.

What goes in may be hostile: model output and people's comments, with mentions, images that call
home, links that lie, fences that close early, control characters, any length. What comes out
shows it and lets none of it work:

- in ADF everything is a text node; marks and links are ours alone;
- in Markdown everything from outside stands in code (a fence or a span longer than any run of
  backticks inside), and our own words are escaped;
- what no tracker stores (control characters, lone surrogates) or what re-orders text on the
  screen is removed;
- everything is cut to the tracker's limit, saying so and where the whole text is.
"""

import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx

from triage.trackers.base import Block, Facts, Heading, Paragraph, TicketDraft, Verbatim
from triage.trackers.markers import marker_label

_NEWLINES = re.compile("\r\n?|[\u2028\u2029]")
_NOT_STORED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]"  # control characters, noncharacters
    "|[\u202a-\u202e\u2066-\u2069]"  # embeddings, overrides, isolates: they re-order what follows
)
_LONE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text that every tracker stores: line breaks as \\n, tabs kept, no other control characters."""
    return _LONE.sub("\ufffd", _NOT_STORED.sub("", _NEWLINES.sub("\n", str(text))))


def one_line(text: str, limit: int = 255, *, otherwise: str = "") -> str:
    """Cleaned text on one line, of at most `limit` UTF-16 units (trackers count those)."""
    line = " ".join(clean(text).split()) or otherwise
    return line if _units(line) <= limit else _cut(line, limit - 1) + "…"


def safe_url(url: str) -> str:
    """An http(s) URL that is safe inside a link, or an empty string."""
    try:
        parsed = httpx.URL(clean(url).strip())
    except (httpx.InvalidURL, ValueError):
        return ""
    if parsed.scheme not in ("http", "https") or parsed.userinfo:
        return ""
    if not re.fullmatch(rb"[a-z0-9._-]+|[0-9a-f:.]+", parsed.raw_host):
        return ""
    quoted = urllib.parse.quote(str(parsed), safe="%/:?#@!$&*+,;=~.-_")
    return quoted if len(quoted) <= 2000 else ""


# --- the whole ticket -----------------------------------------------------------------------------


def title(draft: TicketDraft) -> str:
    return one_line(draft.title, otherwise="Untitled problem")


def adf_description(draft: TicketDraft, limit: int = 32_000) -> dict[str, Any]:
    """The draft's body as an ADF document whose serialised form stays under `limit`."""
    return _fit(draft.blocks, lambda blocks: _adf_document(blocks, _adf_footer(draft)), limit)


def adf_text(text: str | Sequence[Block], footer: str, limit: int = 32_000) -> dict[str, Any]:
    """A comment as an ADF document, `footer` as its last line."""
    return _fit(
        _blocks_of(text), lambda blocks: _adf_document(blocks, [_adf_paragraph(footer)]), limit
    )


def markdown_description(draft: TicketDraft, limit: int = 50_000) -> str:
    """The draft's body as Markdown of at most `limit` characters."""
    return _fit(draft.blocks, lambda blocks: _markdown(blocks, _markdown_footer(draft)), limit)


def markdown_text(text: str | Sequence[Block], limit: int = 50_000) -> str:
    """A comment as Markdown."""
    return _fit(_blocks_of(text), lambda blocks: _markdown(blocks, []), limit)


def serialized_size(document: Any) -> int:
    """How long a rendered text is as the tracker may count it."""
    if isinstance(document, str):
        return _units(document)
    return _units(json.dumps(document, ensure_ascii=False))


def _blocks_of(text: str | Sequence[Block]) -> tuple[Block, ...]:
    return (Paragraph(text),) if isinstance(text, str) else tuple(text)


def _fit(blocks: Iterable[Block], render: Callable[[list[Block]], Any], limit: int) -> Any:
    """Render with long texts cut ever shorter, then with blocks left out, until it fits."""
    blocks = list(blocks)
    for longest in (None, 16_000, 8_000, 4_000, 2_000, 1_000, 500, 200):
        shortened = [_shortened(block, longest) for block in blocks]
        rendered = render(shortened)
        if serialized_size(rendered) <= limit:
            return rendered
    while shortened:
        shortened = shortened[: len(shortened) * 3 // 4]
        rendered = render([*shortened, Paragraph("More stands in FeedbackHub.")])
        if serialized_size(rendered) <= limit:
            return rendered
    return rendered


def _shortened(block: Block, longest: int | None) -> Block:
    if isinstance(block, Heading):
        return Heading(one_line(block.text))
    if isinstance(block, Facts):
        return Facts(
            tuple((one_line(name, 80), one_line(value, 500)) for name, value in block.rows)
        )
    text = clean(block.text).strip("\n")
    if longest is not None and len(text) > longest:
        missing = len(text) - longest
        text = f"{text[:longest]}\n… {missing} more characters stand in FeedbackHub."
    return type(block)(text)


# --- ADF ------------------------------------------------------------------------------------------


def _adf_document(blocks: Iterable[Block], footer: list[dict[str, Any]]) -> dict[str, Any]:
    content = [node for block in blocks for node in _adf_block(block)]
    return {"type": "doc", "version": 1, "content": [*content, *footer]}


def _adf_block(block: Block) -> list[dict[str, Any]]:
    if isinstance(block, Heading):
        return [{"type": "heading", "attrs": {"level": 3}, "content": _adf_inline(block.text)}]
    if isinstance(block, Verbatim):
        return [{"type": "codeBlock", "content": [_adf_node(block.text or "(empty)")]}]
    if isinstance(block, Facts):
        rows = [
            {
                "type": "listItem",
                "content": [
                    {
                        "type": "paragraph",
                        "content": [
                            _adf_node(f"{name}: ", {"type": "strong"}),
                            _adf_node(value or "—"),
                        ],
                    }
                ],
            }
            for name, value in block.rows
        ]
        return [{"type": "bulletList", "content": rows}] if rows else []
    return [_adf_paragraph(part) for part in block.text.split("\n\n") if part.strip()]


def _adf_paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": _adf_inline(text)}


def _adf_inline(text: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for number, line in enumerate(text.strip("\n").split("\n")):
        if number:
            nodes.append({"type": "hardBreak"})
        if line:
            nodes.append(_adf_node(line))
    return nodes


def _adf_node(text: str, mark: dict[str, Any] | None = None) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": text}
    if mark:
        node["marks"] = [mark]
    return node


def _adf_footer(draft: TicketDraft) -> list[dict[str, Any]]:
    lines: list[list[dict[str, Any]]] = []
    for words, url in _links(draft):
        target = safe_url(url)
        if target:
            lines.append([_adf_node(words, {"type": "link", "attrs": {"href": target}})])
        else:
            lines.append([_adf_node(f"{words}: {one_line(url, 500)}")])
    lines.append([_adf_node(f"Reference {marker_label(draft.marker)}")])
    return [{"type": "rule"}, *({"type": "paragraph", "content": line} for line in lines)]


def _links(draft: TicketDraft) -> list[tuple[str, str]]:
    links = [("Open in FeedbackHub", draft.link_back_url)]
    if draft.trace_url:
        target = safe_url(draft.trace_url)
        host = httpx.URL(target).host if target else ""
        links.append((f"Trace at {host}" if host else "Trace", draft.trace_url))
    return links


# --- Markdown -------------------------------------------------------------------------------------


def _markdown(blocks: Iterable[Block], footer: list[str]) -> str:
    parts = [part for block in blocks for part in _markdown_block(block)]
    return "\n\n".join([*parts, *footer])


def _markdown_block(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [f"### {escape_markdown(block.text)}"]
    if isinstance(block, Verbatim):
        return [fenced(block.text)]
    if isinstance(block, Facts):
        rows = [f"- **{escape_markdown(name)}:** {code_span(value)}" for name, value in block.rows]
        return ["\n".join(rows)] if rows else []
    return [
        "  \n".join(escape_markdown(line) for line in part.split("\n"))
        for part in block.text.split("\n\n")
        if part.strip()
    ]


def fenced(text: str) -> str:
    """Text in a fence that nothing inside can close."""
    text = clean(text).strip("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text or '(empty)'}\n{fence}"


def code_span(text: str) -> str:
    """Text on one line as code."""
    text = one_line(text, 2000) or "—"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(text: str) -> str:
    """Text in which nothing is Markdown, a mention, or an address that becomes a link.

    A backslash before each punctuation mark undoes Markdown. Mentions and bare addresses are
    found after that, in the finished text: an invisible joiner breaks them.
    """
    text = clean(text).strip()
    text = re.sub(r"@(?=\w)", "@\u2060", text)
    text = re.sub(r"(?i)\b(https?|ftp|mailto|javascript|data):", "\\1:\u2060", text)
    text = re.sub(r"(?i)\bwww\.", "www\u2060.", text)
    return re.sub(r"(?m)^(\d+)(?=[.)])", "\\1\u2060", _PUNCTUATION.sub(r"\\\1", text))


def _markdown_footer(draft: TicketDraft) -> list[str]:
    lines = []
    for words, url in _links(draft):
        target = safe_url(url)
        lines.append(
            f"[{escape_markdown(words)}](<{target}>)"
            if target
            else f"{escape_markdown(words)}: {code_span(one_line(url, 500))}"
        )
    return ["---", "  \n".join([*lines, f"Reference {marker_label(draft.marker)}"])]


# --- Jira's wiki text (Data Center) ---------------------------------------------------------------


def wiki_description(draft: TicketDraft, limit: int = 32_000) -> str:
    """The draft's body as wiki text of at most `limit` characters."""
    return _fit(draft.blocks, lambda blocks: _wiki(blocks, _wiki_footer(draft)), limit)


def wiki_text(text: str | Sequence[Block], footer: str, limit: int = 32_000) -> str:
    """A comment as wiki text, `footer` as its last line."""
    return _fit(_blocks_of(text), lambda blocks: _wiki(blocks, [footer]), limit)


def _wiki(blocks: Iterable[Block], footer: list[str]) -> str:
    return "\n\n".join([part for block in blocks for part in _wiki_block(block)] + footer)


def _wiki_block(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [f"h3. {escape_wiki(block.text)}"]
    if isinstance(block, Verbatim):
        # nothing inside a noformat block is read, but the end of one
        inside = clean(block.text).replace("{", "{\u2060").strip("\n") or "(empty)"
        return [f"{{noformat}}\n{inside}\n{{noformat}}"]
    if isinstance(block, Facts):
        rows = [
            f"* *{escape_wiki(name)}:* {escape_wiki(value) or '—'}" for name, value in block.rows
        ]
        return ["\n".join(rows)] if rows else []
    return [escape_wiki(part) for part in block.text.split("\n\n") if part.strip()]


def escape_wiki(text: str) -> str:
    """Text in which nothing is wiki markup, a mention, or an address that becomes a link."""
    text = re.sub(r"(?i)\b(https?|ftp|mailto|javascript|data):", "\\1:\u2060", clean(text).strip())
    text = re.sub(r"(?i)\bwww\.", "www\u2060.", text)
    text = re.sub(r"([{}\[\]!|*_?^~+@\\-])", r"\\\1", text)
    return re.sub(r"(?m)^(h[1-6]|bq)\.", "\\1\u2060.", re.sub(r"(?m)^#", r"\\#", text))


def _wiki_footer(draft: TicketDraft) -> list[str]:
    lines = [
        f"[{escape_wiki(words)}|{target}]" if (target := safe_url(url)) else escape_wiki(words)
        for words, url in _links(draft)
    ]
    return ["----", "\n".join([*lines, f"Reference {marker_label(draft.marker)}"])]


# --- lengths --------------------------------------------------------------------------------------


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "ignore")
