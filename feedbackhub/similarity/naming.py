"""What a group of texts is about, in its members' own words: the words that set it apart, the members that say it best."""

import math
import re
from collections import Counter

_WORD = re.compile(r"[^\W\d_][\w'’-]+")


def telling_words(texts: list[str], others: Counter, *, of: int, most: int = 4) -> list[str]:
    """The words that many of `texts` have and few of `of` others, the most telling first.

    `others` counts in how many of the others each word stands.
    """
    inside = document_counts(texts)
    scored = {
        word: count / len(texts) * math.log((1 + of) / (1 + others.get(word, 0)))
        for word, count in inside.items()
        if count > 1 or len(texts) == 1
    }
    return [word for word, score in sorted(scored.items(), key=lambda row: (-row[1], row[0]))][
        :most
    ]


def document_counts(texts: list[str]) -> Counter:
    """In how many texts each word stands."""
    found = Counter()
    for text in texts:
        found.update({word.casefold() for word in _WORD.findall(text[:4_000])})
    return found


def most_typical(vectors, count: int) -> list[int]:
    """The places of the vectors nearest to the middle of all, each telling something of its own."""
    import numpy

    vectors = numpy.asarray(vectors, dtype=numpy.float32)
    middle = vectors.mean(axis=0)
    chosen: list[int] = []
    for place in numpy.argsort(-(vectors @ middle), kind="stable"):
        if all(float(vectors[place] @ vectors[other]) < 0.95 for other in chosen):
            chosen.append(int(place))
        if len(chosen) == count:
            break
    return chosen
