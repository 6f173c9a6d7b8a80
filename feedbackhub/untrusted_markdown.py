"""Markdown from models, reporters and documents, made safe to show.

Nothing loads from outside, nothing can be clicked, nothing carries an attribute that a script
of ours would act on: links show their text and their true target, images their description and
address. The HTML that the text contains is shown as text.
"""

import re
from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from feedbackhub import markdown_places

# Longer texts are shown as they are: parsing them would hold up the page.
PARSE_LIMIT = 100_000

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "span"),
}
_ATTRIBUTES = {"ol": {"start"}}
_CLASSES = {"p": {"heading"}, "span": {"link-text", "link-target"}}

# Characters that turn the direction of what follows, or hide in it.
_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def untrusted_markdown(text: str, *, has_places: bool = False) -> SafeString:
    """`text` as HTML of a small, fixed set of tags.

    With places each stretch that stands in `text` just as it is shown says where: `data-at`, in code points.
    """
    if len(text) > PARSE_LIMIT:
        return mark_safe(f"<pre>{_escape(text)}</pre>")  # noqa: S308 - escaped
    tokens = _parser().parse(text)
    if has_places:
        markdown_places.find(tokens, text)
    html = _parser().renderer.render(tokens, _parser().options, {})
    return mark_safe(  # noqa: S308 - cleaned against an allow-list
        nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES | ({"span": {"data-at"}} if has_places else {}),
            allowed_classes=_CLASSES,
            clean_content_tags={"script", "style"},
            url_schemes=set(),
            link_rel=None,
        )
    )


class _Renderer(RendererHTML):
    """Commonmark's HTML, with headings as strong paragraphs and links that lead nowhere."""

    def heading_open(self, tokens, idx, options, env):
        # Their headings must not become part of our page's outline.
        return '<p class="heading">'

    def heading_close(self, tokens, idx, options, env):
        return "</p>\n"

    def link_open(self, tokens, idx, options, env):
        return '<span class="link-text">'

    def link_close(self, tokens, idx, options, env):
        opening = _opening(tokens, idx)
        return f"</span>{_target(opening.attrGet('href') or '')}"

    def text(self, tokens, idx, options, env):
        return _placed(tokens[idx].meta.get("at"), tokens[idx].content)

    def code_inline(self, tokens, idx, options, env):
        return f"<code>{self.text(tokens, idx, options, env)}</code>"

    def fence(self, tokens, idx, options, env):
        return self.code_block(tokens, idx, options, env)

    def code_block(self, tokens, idx, options, env):
        token = tokens[idx]
        lines = markdown_places.lines_of(token.content)
        places = token.meta.get("at") or [None] * len(lines)
        shown = "".join(_placed(at, line) for at, line in zip(places, lines, strict=True))
        return f"<pre><code>{shown}</code></pre>\n"

    def image(self, tokens, idx, options, env):
        token = tokens[idx]
        described = self.renderInlineAsText(token.children or [], options, env)
        source = token.attrGet("src") or ""
        return f'<span class="link-text">{_escape(described)}</span>{_target(source)}'


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    # Anything may be named as a target, since it is only ever shown as text.
    parser.validateLink = lambda url: True
    return parser.enable(["table", "strikethrough"])


def _placed(at: int | None, text: str) -> str:
    escaped = _escape(text)
    return escaped if at is None else f'<span data-at="{at}">{escaped}</span>'


def _opening(tokens: list[Token], closing: int) -> Token:
    depth = 0
    for token in reversed(tokens[:closing]):
        if token.type == "link_close":
            depth += 1
        elif token.type == "link_open":
            if depth == 0:
                return token
            depth -= 1
    raise ValueError("a link is closed that was never opened")


def _target(url: str) -> str:
    return f' <span class="link-target">({_escape(_HIDDEN.sub("�", url))})</span>'


def _escape(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
