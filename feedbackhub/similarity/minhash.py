"""Near-duplicates by MinHash: texts that share most of their character 5-grams share a band.

The parameters are fixed: gold is split by groups of near-duplicates, and a change would move twins across the line.
64 permutations in 16 bands of 4: texts with Jaccard similarity 0.7 share a band with probability 0.988; whether they
really are alike is then decided on their shingles.
"""

import functools
import hashlib
import re
import unicodedata

PARAMETERS = "v1"
DESCRIPTION = "MinHash v1: NFKC, case folded, character 5-grams, 64 permutations, seed 1, 16 bands of 4, Jaccard ≥ 0.6"
THRESHOLD = 0.6
_PERMUTATIONS, _BANDS, _SEED = 64, 16, 1
_SCHEME = "affine32"  # said, not left to the library: its default has changed once
_LONGEST = 20_000  # characters looked at
_GRAM = 5
_BLANKS = re.compile(r"[\W_]+")


def normalise(text: str, *, longest: int | None = _LONGEST) -> str:
    """What is compared: compatibility forms, no case, runs of anything but letters and digits as one blank."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text[:longest]).casefold()).strip()


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of a text; a shorter one is its own only shingle."""
    plain = f" {normalise(text)} "
    return frozenset(plain[i : i + _GRAM] for i in range(max(1, len(plain) - _GRAM + 1)))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared shingles over all shingles, 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def are_near_duplicates(one: str, other: str) -> bool:
    return jaccard(shingles(one), shingles(other)) >= THRESHOLD


@functools.cache
def _empty_signature():
    """With the permutations drawn, which takes as long as a short text does."""
    from datasketch import MinHash  # numpy: only where it is needed

    return MinHash(num_perm=_PERMUTATIONS, seed=_SEED, scheme=_SCHEME)


def bands(text: str, *, salt: str) -> list[int]:
    """16 signed 64-bit digests; two texts with one in common are candidates. `salt` keeps projects apart."""
    signature = _empty_signature().copy()
    signature.update_batch([shingle.encode() for shingle in shingles(text)])
    rows = _PERMUTATIONS // _BANDS
    return [
        int.from_bytes(
            hashlib.blake2b(
                signature.hashvalues[i * rows : (i + 1) * rows].astype("<u8").tobytes(),
                digest_size=8,
                key=f"{salt}:{i}".encode(),
            ).digest(),
            "big",
            signed=True,
        )
        for i in range(_BANDS)
    ]
