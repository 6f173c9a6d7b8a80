"""Where the words that parsed Markdown shows stand in its source, so that a mark made there is one in the source.

The parser tells the lines of a block only. Within them each stretch of text is looked for behind the one before; what is
not in the source as it is shown (an escaped sign, an entity) gets no place. `token.meta["at"]` is a place in code points,
or for code one per line.
"""

import re
from bisect import bisect_right
from itertools import accumulate

from markdown_it.token import Token

_MARKERS = re.compile(
    r"(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])|#{1,6}(?=[ \t])|\|))*[ \t]*"
)
_LINK_END = re.compile(r"[^\]\w\n]{0,6}\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])?")


def find(tokens: list[Token], source: str) -> None:
    """Note the place of each text and line of code of `tokens`, as far as it has one."""
    _Finder(source).walk(tokens)


def lines_of(text: str) -> list[str]:
    """As Markdown counts lines, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


class _Finder:
    def __init__(self, source: str):
        # The parser reads CRLF and CR as LF; `_returns` leads back.
        self._text = re.sub(r"\r\n?", "\n", source)
        self._returns = [
            match.start() - before for before, match in enumerate(re.finditer(r"\r\n", source))
        ]
        self._starts = [0, *accumulate(len(line) for line in lines_of(self._text))]
        self._at = 0

    def walk(self, tokens):
        for token in tokens:
            if token.type == "inline" and token.map:
                self._at = max(self._at, self._start(token.map[0]))
                self._inline(token.children or [], self._start(token.map[1]))
            elif token.type in ("fence", "code_block") and token.map:
                self._code(token, token.map[0] + (token.type == "fence"))

    def _start(self, line: int) -> int:
        return self._starts[min(line, len(self._starts) - 1)]

    def _inline(self, children, end):
        for child in children:
            if child.type in ("text", "code_inline") and child.content:
                place = self._next(child.content, end)
                if place is not None:
                    child.meta = {**child.meta, "at": self._in_source(place)}
                    self._at = place + len(child.content)
            elif child.type == "link_close" and child.markup != "autolink":
                self._skip(_LINK_END.match(self._text, self._at, end))
            elif child.type == "image":
                self._skip(_IMAGE.search(self._text, self._at, end))

    def _next(self, content, end) -> int | None:
        behind = self._at
        if behind == 0 or self._text[behind - 1] == "\n":
            behind = _MARKERS.match(self._text, behind).end()
        for start in (behind, self._at):
            place = self._text.find(content, start, end)
            if place >= 0:
                return place
        return None

    def _skip(self, match):
        if match:
            self._at = match.end()

    def _code(self, token, line):
        places = []
        for number, shown in enumerate(lines_of(token.content), line):
            words = shown.rstrip("\n")
            place = self._text.find(words, self._start(number), self._start(number + 1))
            places.append(self._in_source(place) if words and place >= 0 else None)
        token.meta = {**token.meta, "at": places}
        self._at = max(self._at, self._start(token.map[1]))

    def _in_source(self, place: int) -> int:
        return place + bisect_right(self._returns, place - 1)
