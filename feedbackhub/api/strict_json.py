"""JSON as strangers send it: with one meaning, and nothing in it that cannot be stored.

The stock parser lets through what breaks later or means two things: NUL and lone surrogates
(PostgreSQL stores neither), NaN and overflowing numbers, integers that a JavaScript reader would
round, keys given twice, nesting that ends in a recursion error. Everything refused is a
`BadDocument` that names the field; nothing else is ever raised.

The fast reader only notices that something is wrong; a second, slower reading says what and where.
A document with many brackets is looked at before the parser recurses into it. All of it is linear
in the document's length.
"""

import codecs
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from json import JSONDecodeError
from typing import Any

MAX_DEPTH = 32
MAX_KEYS = 10_000
MAX_ROWS = 5_000
MAX_INTEGER = 2**53
MAX_NUMBER_LENGTH = 1_000  # characters; every double has a shorter spelling


class BadInput(ValueError):
    """Something we were sent and refuse; `errors` says why: a field and a plain sentence each."""

    errors: list[dict[str, str]]


class BadDocument(BadInput):
    """A JSON document, or one row of a batch, that cannot be taken as it is."""

    def __init__(self, message: str, field: str = ""):
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def errors(self) -> list[dict[str, str]]:
        return [{"field": self.field, "message": self.message}]


class TooManyRows(BadInput):
    """A batch with more rows than are taken at once."""

    def __init__(self, max_rows: int):
        super().__init__(f"A batch holds at most {max_rows:,} rows.")
        self.errors = [{"field": "", "message": str(self)}]


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH, max_keys: int = MAX_KEYS) -> Any:
    """The value of one JSON document."""
    openings = raw.count(b"{") + raw.count(b"[")
    _guard_the_stack(raw, openings)
    text = _decode(raw)
    try:
        value = _READER.decode(text)
    except (_FlawFound, JSONDecodeError):
        raise _explain(text) from None
    if openings > max_depth and _is_deeper(value, max_depth):
        raise _too_deep(max_depth)
    _check_value(value, text, 0, len(text), max_keys)
    return value


def parse_ndjson(
    raw: bytes, *, max_rows: int = MAX_ROWS
) -> Iterator[tuple[int, Any | BadDocument]]:
    r"""The rows of newline-delimited JSON, one at a time, each with its line number from 0.

    A row is its value, or the `BadDocument` that says why it is refused. Lines end at \n and nowhere else (U+2028 stays inside its string). Blank lines are passed over
    but counted, so that the index always finds the line.
    """
    if raw.count(b"\n") >= max_rows:
        for count, _ in enumerate(_FILLED_LINE.finditer(raw), start=1):
            if count > max_rows:
                raise TooManyRows(max_rows)
    return _ndjson_rows(raw)


def parse_array(raw: bytes, *, max_rows: int = MAX_ROWS) -> Iterator[tuple[int, Any | BadDocument]]:
    """The rows of a JSON array, each with its position from 0: its value, or a `BadDocument`.

    What is not JSON, anywhere, makes the whole array a `BadDocument` before the first row is handed
    out. A row that is JSON and only breaks our rules (a key twice, NUL, too deep) is refused alone.
    The array is read twice, once for its syntax: holding all its rows would take as long, and space.
    """
    for count, _ in enumerate(_array_rows(raw, only_syntax=True), start=1):
        if count > max_rows:
            raise TooManyRows(max_rows)
    return enumerate(_array_rows(raw))


def join_path(parent: str, key: str | int) -> str:
    """`messages[2].content`: where in a document a value stands."""
    if isinstance(key, int):
        return f"{parent}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f"{parent}[{_shown(key)}]"
    return f"{parent}.{key}" if parent else key


def walk(value: Any) -> Iterator[tuple[list[Any], Any]]:
    """Every part of a JSON value, its lists left out, with the steps to it: one list, used again.

    `path_of` makes a path of the steps; only a fault needs it.
    """
    steps: list[Any] = [None]
    open_parts: list[Iterator] = [iter([(None, value)])]
    while open_parts:
        for steps[-1], part in open_parts[-1]:
            kind = type(part)
            if kind is not list:
                yield steps, part
            if kind is dict or kind is list:
                open_parts.append(iter(part.items()) if kind is dict else enumerate(part))
                steps.append(None)
                break
        else:
            open_parts.pop()
            steps.pop()


def path_of(steps: Iterable[str | int | None]) -> str:
    path = ""
    for step in steps:
        if step is not None:
            path = join_path(path, step)
    return path


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold this text: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        return False
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


# --- before parsing -----------------------------------------------------------------------------

_SAFE_DEPTH = 200  # the parser may recurse this far whatever stack it is called on
_WINDOW = 1 << 20
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(_STEP))


def _guard_the_stack(raw: bytes, openings: int) -> None:
    """Refuse nesting that would exhaust the parser's stack; few documents have the brackets for it."""
    if openings <= _SAFE_DEPTH:
        return
    brackets = _without_strings(raw).translate(None, _ALL_BUT_BRACKETS)
    depths = accumulate(map(_STEP.__getitem__, brackets))
    if next(filter(_SAFE_DEPTH.__lt__, depths), None):
        raise _too_deep(MAX_DEPTH)


def _without_strings(raw: bytes) -> bytes:
    """What stands outside quotes: in a broken document, right up to where the parser stops, too."""
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside, is_inside = [], 0
    for start in range(0, len(unescaped), _WINDOW):
        parts = unescaped[start : start + _WINDOW].split(b'"')
        outside.append(b"".join(parts[is_inside::2]))
        is_inside ^= (len(parts) - 1) & 1
    return b"".join(outside)


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(error.start) from None
    if text[:1] == "\ufeff":
        raise _byte_order_mark()
    return text


# --- while parsing ------------------------------------------------------------------------------


class _FlawFound(Exception):
    """The fast reader met a flaw; the marking reader will say which and where."""


class _Flaw:
    """Stands in the parsed document where a value is not acceptable."""

    def __init__(self, message: str, key: str | None = None):
        self.message = message
        self.key = key


def _integer(digits: str) -> int | _Flaw:
    if len(digits) <= 17:
        number = int(digits)
        if -MAX_INTEGER <= number <= MAX_INTEGER:
            return number
    return _Flaw("Integers go up to 2^53; send a larger one as text.")


def _float(digits: str) -> float | _Flaw:
    if len(digits) <= MAX_NUMBER_LENGTH:
        number = float(digits)
        if math.isfinite(number):
            return number
    return _Flaw("This number is too large.")


def _constant(name: str) -> _Flaw:
    return _Flaw(f"{name} is not JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Flaw:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))
    return _Flaw("This key is given twice.", twice)


def _fast_integer(digits: str) -> int:
    if len(digits) <= 15:  # below 2^53 whatever the digits
        return int(digits)
    return _or_raise(_integer(digits))


def _fast_float(digits: str) -> float:
    return _or_raise(_float(digits))


def _fast_constant(name: str) -> None:
    raise _FlawFound


def _fast_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _FlawFound
    return found


def _or_raise(value: Any) -> Any:
    if type(value) is _Flaw:
        raise _FlawFound
    return value


_READER = json.JSONDecoder(
    object_pairs_hook=_fast_object,
    parse_int=_fast_integer,
    parse_float=_fast_float,
    parse_constant=_fast_constant,
)
_MARKING_READER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_SYNTAX_READER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


# --- after parsing ------------------------------------------------------------------------------

_RISKY_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def _check_value(value: Any, text: str, start: int, end: int, max_keys: int) -> None:
    """Refuse what the reader let through. `text[start:end]` is the source: it shows where to look."""
    if end - start > 4 * max_keys and _has_more_keys(value, max_keys):  # `"":1` is the shortest
        raise BadDocument(f"It has more than {max_keys:,} keys.")
    if text.find("\\u", start, end) >= 0 and _RISKY_ESCAPE.search(text, start, end):
        flaw = _first_flaw(value)
        if flaw:
            raise flaw


def _is_deeper(value: Any, max_depth: int) -> bool:
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(max_depth):
        level = [
            part
            for item in level
            for part in (item.values() if type(item) is dict else item)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return False
    return True


def _has_more_keys(value: Any, max_keys: int) -> bool:
    return sum(len(part) for _, part in walk(value) if type(part) is dict) > max_keys


# --- when something is wrong --------------------------------------------------------------------

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")
_SENTENCES = {
    "Expecting value": "a value is missing",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "Illegal trailing comma before end of object": "there is a comma too many",
    "Illegal trailing comma before end of array": "there is a comma too many",
    "Extra data": "something follows after the end",
    "Unterminated string starting at": "a string is never closed",
    "Invalid control character at": "a control character stands unescaped in a string",
    "Invalid \\escape": "a backslash escape is unknown",
    "Invalid \\uXXXX escape": "a \\u escape lacks its four hexadecimal digits",
}


def _explain(text: str) -> BadDocument:
    """What is wrong with a document that the fast reader refused, and where."""
    try:
        value = _MARKING_READER.decode(text)
    except JSONDecodeError as error:
        return _not_json(error)
    return _first_flaw(value) or BadDocument("This document cannot be read.")


def _first_flaw(value: Any) -> BadDocument | None:
    """A flaw the marking reader left in place, or text that cannot be stored."""
    for steps, part in walk(value):
        kind = type(part)
        if kind is str:
            if not is_storable(part):
                return BadDocument(_text_fault(part), path_of(steps))
        elif kind is dict:
            for key in part:
                if not is_storable(key):
                    return BadDocument(_text_fault(key), path_of([*steps, key]))
        elif kind is _Flaw:
            return BadDocument(part.message, path_of([*steps, part.key]))
    return None


def _not_json(error: JSONDecodeError) -> BadDocument:
    if not error.doc.strip(" \t\r\n"):
        return BadDocument("It is empty.")
    place = f"line {error.lineno}, column {error.colno}"
    return BadDocument(f"This is not JSON: {_fault(error)} ({place}).")


def _fault(error: JSONDecodeError) -> str:
    return _SENTENCES.get(error.msg, error.msg)


def _not_utf8(position: int) -> BadDocument:
    return BadDocument(f"This is not UTF-8: byte {position} cannot be read.")


def _byte_order_mark() -> BadDocument:
    return BadDocument("It starts with a byte order mark; send plain UTF-8 without one.")


def _too_deep(max_depth: int) -> BadDocument:
    return BadDocument(f"It nests deeper than {max_depth} levels.")


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "Text may not hold the character U+0000."
    return "Text may not hold half of a surrogate pair."


def _shown(key: str) -> str:
    """A key that is no plain word, short and safe to print."""
    return json.dumps(key if len(key) <= 60 else key[:59] + "…")


# --- batches ------------------------------------------------------------------------------------

_FILLED_LINE = re.compile(rb"[^ \t\r\n][^\n]*+")
_BLANK = re.compile(r"[ \t\r\n]*+")
_AFTER_ROW = frozenset(",] \t\r\n")


def _ndjson_rows(raw: bytes) -> Iterator[tuple[int, Any | BadDocument]]:
    index = counted = 0
    for line in _FILLED_LINE.finditer(raw):
        index += raw.count(b"\n", counted, line.start())
        counted = line.start()
        try:
            yield index, parse(line.group())
        except BadDocument as refused:
            yield index, refused


def _array_rows(raw: bytes, *, only_syntax: bool = False) -> Iterator[Any | BadDocument]:
    """Each element, or why it is refused.

    The text is decoded a window at a time: as a whole, one emoji in it would make a batch four
    times as large. A row that does not end inside the window is read again with more of it.
    """
    window = _Window(raw)
    read_row = window.skip_row if only_syntax else window.read_row
    window.expect("[")
    if window.peek() == "]":
        window.expect("]")
    else:
        while True:
            yield read_row()
            if window.peek() != ",":
                break
            window.expect(",")
        window.expect("]")
    if window.peek():
        raise BadDocument("This is not JSON: something follows after the end of the array.")


class _Window:
    """The part of a long document that is decoded, and how far it is read."""

    def __init__(self, raw: bytes):
        self.raw = raw
        self.taken = 0  # bytes of it that are decoded
        self.row = -1
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text = ""
        self.position = 0
        if raw.startswith(codecs.BOM_UTF8):
            raise _byte_order_mark()

    def extend(self) -> bool:
        """Let go of what is read and decode at least as much again; False at the end."""
        if self.taken == len(self.raw):
            return False
        self.text = self.text[self.position :]
        self.position = 0
        until = min(self.taken + max(_WINDOW, len(self.text)), len(self.raw))
        pending = len(self.decoder.getstate()[0])
        try:
            self.text += self.decoder.decode(
                self.raw[self.taken : until], final=until == len(self.raw)
            )
        except UnicodeDecodeError as error:
            raise _not_utf8(self.taken - pending + error.start) from None
        self.taken = until
        return True

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self.position = _BLANK.match(self.text, self.position).end()
            if self.position < len(self.text):
                return self.text[self.position]
            if not self.extend():
                return ""

    def expect(self, bracket: str) -> None:
        if self.peek() != bracket:
            raise BadDocument(f"This is not a JSON array: {bracket} is missing.")
        self.position += 1

    def skip_row(self) -> None:
        _, _, self.position = self._decode_row(_SYNTAX_READER.raw_decode)

    def read_row(self) -> Any | BadDocument:
        value, start, self.position = self._decode_row(_read_or_explain)
        if type(value) is BadDocument:
            return value
        try:
            if _is_deeper(value, MAX_DEPTH):
                raise _too_deep(MAX_DEPTH)
            _check_value(value, self.text, start, self.position, MAX_KEYS)
        except BadDocument as refused:
            return refused
        return value

    def _decode_row(self, read: Callable[[str, int], tuple[Any, int]]) -> tuple[Any, int, int]:
        """The next row, and where in the window it starts and ends."""
        self.peek()
        self.row += 1
        while True:
            try:
                value, end = read(self.text, self.position)
                # `1` at the edge may go on as `12`, and `1.5e` before it as `1.5e3`.
                if self.text[end : end + 1] in _AFTER_ROW or not self.extend():
                    return value, self.position, end
            except JSONDecodeError as error:
                if not self.extend():
                    raise BadDocument(
                        f"This is not JSON: {_fault(error)}.", join_path("", self.row)
                    ) from None
            except RecursionError:  # the parser gives up; to look first would slow every batch
                raise _too_deep(MAX_DEPTH) from None


def _read_or_explain(text: str, start: int) -> tuple[Any | BadDocument, int]:
    try:
        return _READER.raw_decode(text, start)
    except _FlawFound:
        value, end = _MARKING_READER.raw_decode(text, start)
        return _first_flaw(value), end
