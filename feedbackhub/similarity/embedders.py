"""Texts as vectors. One interface, three ways to serve it; whoever stores a vector stores the embedder's name and version.

- `TfidfEmbedder` (the default): words and character 3- to 5-grams, fitted to one project's own texts; nothing to download.
- `LocalModel`: a folder with a MiniLM or another small BERT, computed with numpy.
- `RemoteModel`: any service with an OpenAI-compatible `/embeddings`.

Every vector has `DIMENSIONS` numbers and length one, or is all zero, which says "nothing to compare". Vectors of two
embedders, or of two versions of one, mean different things: they are never compared.
"""

import hashlib
from typing import Protocol

DIMENSIONS = 384
LONGEST = 4_000  # characters looked at


class Embedder(Protocol):
    """What every embedder is."""

    name: str
    version: str
    cut: float  # the distance below which average linkage joins two groups (see `groups`)
    neighbours: int  # towards how many a vector is drawn before it is grouped
    near: float  # how alike a text is, in the mean, to a problem's members to belong to them
    known: float  # how alike two texts are that ask the same

    def embed(self, texts: list[str]):
        """An array of (len(texts), DIMENSIONS) 32-bit floats."""
        ...


def unit(vectors):
    """Each row at length one; what is nothing stays zero."""
    import numpy

    vectors = numpy.asarray(vectors, dtype=numpy.float32)
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return numpy.divide(vectors, lengths, out=numpy.zeros_like(vectors), where=lengths > 1e-9)


def sized(vectors):
    """Unit rows of exactly DIMENSIONS numbers.

    Shorter ones are filled up with zeros, which leaves every angle as it is; longer ones are projected by a fixed
    random matrix, which keeps the angles nearly.
    """
    import numpy

    vectors = numpy.asarray(vectors, dtype=numpy.float32)
    width = vectors.shape[1]
    if width > DIMENSIONS:
        fixed = numpy.random.default_rng(width).standard_normal((width, DIMENSIONS))
        vectors = vectors @ fixed.astype(numpy.float32)
    elif width < DIMENSIONS:
        vectors = numpy.pad(vectors, ((0, 0), (0, DIMENSIONS - width)))
    return unit(vectors)


def digest(*parts: bytes) -> str:
    """A short name for what an embedder is made of."""
    made_of = hashlib.sha256()
    for part in parts:
        made_of.update(part)
    return made_of.hexdigest()[:16]
