"""Word diffs between two texts, quick enough for a request and safe to show.

Words become single code points, so that diff-match-patch compares words and not letters; what
belongs to one letter (combining marks, emoji with their joiners) is never cut apart.
"""

import re
from itertools import pairwise

from diff_match_patch import diff_match_patch
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

EQUAL, INSERT, DELETE = 0, 1, -1

# Blanks, one mark of punctuation, one ideograph or kana, or a run of anything else.
_PUNCTUATION = r"!-/:-@\[-`{-~¡-©«-´¶-¹»-¿‐-‧‰-⁞、-〿！-／：-＠"
_IDEOGRAPHS = r"぀-ヿ㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff"
_WORDS = re.compile(
    rf"\s+|[{_PUNCTUATION}][\u0300-\u036f\ufe0e\ufe0f\u20e3]*|[{_IDEOGRAPHS}]"
    rf"|[^\s{_PUNCTUATION}{_IDEOGRAPHS}]+"
)

FEWEST_MOVED = 3  # words; fewer come and go by chance
_AROUND = " \t\r\n.,;:"

_TIMEOUT = 0.5  # seconds; past it the rest is shown as one replacement
_TIDY_LIMIT = 4_000  # tidying has no time-out of its own and grows faster than the diff
_SURROGATES = range(0xD800, 0xE000)


def word_diff(before: str, after: str) -> list[tuple[int, str]]:
    """The way from `before` to `after`: (EQUAL | INSERT | DELETE, text), nothing empty.

    Joining all but the inserts gives `before`, all but the deletes gives `after`.
    """
    if before == after:
        return [(EQUAL, before)] if before else []
    alphabet: dict[str, str] = {}
    coded_before = _code(before, alphabet)
    coded_after = _code(after, alphabet)
    if coded_before is None or coded_after is None:  # more different words than code points
        return [pair for pair in ((DELETE, before), (INSERT, after)) if pair[1]]
    differ = diff_match_patch()
    differ.Diff_Timeout = _TIMEOUT
    steps = differ.diff_main(coded_before, coded_after, False)
    if len(steps) <= _TIDY_LIMIT:
        differ.diff_cleanupSemantic(steps)
    words = {code: word for word, code in alphabet.items()}
    return [(kind, "".join(words[code] for code in codes)) for kind, codes in steps if codes]


def word_diff_html(before: str, after: str, *, around: int | None = None) -> SafeString:
    """The same as escaped HTML with <del> and <ins>.

    With `around`, unchanged stretches keep that many characters next to a change and the
    rest is an ellipsis.
    """
    steps = word_diff(before, after)
    moved = moved_texts(steps)
    parts = []
    for place, (kind, text) in enumerate(steps):
        tag = {INSERT: "ins", DELETE: "del"}.get(kind)
        if tag:
            look = ' class="is-moved"' if _bare(text) in moved else ""
            parts.append(f"<{tag}{look}>{escape(text)}</{tag}>")
        else:
            parts.append(_unchanged(text, around, place == 0, place == len(steps) - 1))
    return mark_safe("".join(parts))  # noqa: S308 - every text above is escaped


def moved_texts(steps) -> set[str]:
    """What was taken out in one place and put in at another, word for word; three words and more."""
    out, put = ({_bare(text) for kind, text in steps if kind == side} for side in (DELETE, INSERT))
    return {text for text in out & put if len(text.split()) >= FEWEST_MOVED}


def _bare(text: str) -> str:
    return text.strip(_AROUND)


def changed_word_count(before: str, after: str) -> int:
    """How many words differ; a replaced word counts once."""
    count = 0
    steps = word_diff(before, after)
    sizes = [(kind, len(text.split())) for kind, text in steps if kind != EQUAL or text.strip()]
    for (kind, size), (next_kind, next_size) in pairwise([*sizes, (EQUAL, 0)]):
        if kind == EQUAL:
            continue
        if kind == DELETE and next_kind == INSERT:
            count += max(0, size - next_size)  # the insert that follows counts its own words
        else:
            count += size
    return count


def _code(text: str, alphabet: dict[str, str]) -> str | None:
    codes = []
    for word in _WORDS.findall(text):
        code = alphabet.get(word)
        if code is None:
            number = len(alphabet) + 1
            if number >= _SURROGATES.start:
                number += len(_SURROGATES)
            if number > 0x10FFFF:
                return None
            code = alphabet[word] = chr(number)
        codes.append(code)
    return "".join(codes)


def _unchanged(text: str, around: int | None, is_first: bool, is_last: bool) -> str:
    if around is None or len(text) <= 2 * around + 20:
        return escape(text)
    head = "" if is_first else text[:around].rsplit(None, 1)[0] if " " in text[:around] else ""
    tail = "" if is_last else text[-around:].split(None, 1)[-1]
    return f'{escape(head)}<span class="left-out"> … </span>{escape(tail)}'
