"""The embedder that needs no model: TF-IDF of words and character n-grams, brought to few dimensions.

Features are hashed, so that what was fitted holds numbers only and nobody's words. `fit` learns from a project's texts
how rare each feature is and which features go together (truncated SVD). Below `FEWEST` texts there is nothing to learn
from: `cold` projects the features by a fixed random matrix instead. The choices were made by `benchmarks/similarity.py`.
"""

import io
from functools import cache

from feedbackhub.similarity.embedders import DIMENSIONS, LONGEST, digest, sized

FEWEST, MOST = 200, 5_000  # texts to fit to
COMPONENTS = 192
_WORDS, _GRAMS = 0.6, 1.0  # how much each kind of feature weighs
_BUCKETS = 2**18  # of hashed features
_WORD = r"(?u)\b\w+\b"
_KEPT = 40_000  # the features that most texts have
_FOLDS = 4
_CUT_WHEN_COLD = 0.5
_NEAR_WHEN_COLD = 0.45  # common words count as much as rare ones, and make strangers alike


class TfidfEmbedder:
    """Fitted to texts, or cold. Its version is a digest of what was learnt."""

    name = "tfidf"
    cut = 0.65
    neighbours = 8
    near = 0.3
    known = 0.45

    def __init__(self, *, version, columns=None, rarity=None, components=None):
        self.version, self._columns = version, columns
        if components is None:
            self.near = self.known = _NEAR_WHEN_COLD
            self.cut = _CUT_WHEN_COLD
        self._rarity, self._components = rarity, components

    @classmethod
    def cold(cls):
        return cls(version="cold-1")

    @classmethod
    def fit(cls, texts: list[str]):
        """Learn from texts; the same texts give the same version."""
        import numpy
        from sklearn.decomposition import TruncatedSVD

        counts = _features(texts)
        found_in = numpy.bincount(counts.indices, minlength=counts.shape[1])
        columns = numpy.sort(numpy.argsort(-found_in, kind="stable")[:_KEPT])
        columns = columns[found_in[columns] > 0]
        rarity = (numpy.log((1 + len(texts)) / (1 + found_in[columns])) + 1).astype(numpy.float32)
        weighted = _weighted(_only(counts, columns), columns, rarity)
        kept = min(COMPONENTS, len(texts) - 1, len(columns) - 1)
        svd = TruncatedSVD(kept, random_state=0, n_iter=5).fit(weighted)
        components = svd.components_.T.astype(numpy.float16)
        version = digest(columns.tobytes(), rarity.tobytes(), components.tobytes())
        return cls(version=version, columns=columns, rarity=rarity, components=components)

    def embed(self, texts: list[str]):
        counts = _features(texts)
        if self._components is None:
            return sized(_folded(counts))
        import numpy

        weighted = _weighted(_only(counts, self._columns), self._columns, self._rarity)
        used = numpy.unique(weighted.indices)  # of one text few: the rest is not unpacked
        return sized(weighted[:, used] @ self._components[used].astype("float32"))

    def to_bytes(self) -> bytes:
        """What was learnt; no pickle."""
        import numpy

        file = io.BytesIO()
        numpy.savez(file, columns=self._columns, rarity=self._rarity, components=self._components)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, *, version: str):
        import numpy

        with numpy.load(io.BytesIO(content), allow_pickle=False) as learnt:
            return cls(version=version, **{name: learnt[name] for name in learnt.files})


def _features(texts):
    """How often each text has each hashed feature, dampened: words in the first half of the columns, n-grams after."""
    import numpy
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import HashingVectorizer

    texts = [text[:LONGEST] for text in texts]
    each = {"n_features": _BUCKETS, "alternate_sign": False, "norm": None, "dtype": numpy.float32}
    words = HashingVectorizer(token_pattern=_WORD, **each).transform(texts)
    grams = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **each).transform(texts)
    for matrix, weight in ((words, _WORDS), (grams, _GRAMS)):
        matrix.data = weight * (1 + numpy.log(matrix.data))
    return hstack([words, grams], format="csr")


def _only(counts, columns):
    """The features that were learnt, numbered as they were."""
    import numpy
    from scipy.sparse import csr_matrix

    places = numpy.searchsorted(columns, counts.indices)
    places[places == len(columns)] = 0
    is_known = columns[places] == counts.indices
    ends = numpy.concatenate([[0], numpy.cumsum(is_known)])[counts.indptr]
    shape = (counts.shape[0], len(columns))
    return csr_matrix((counts.data[is_known], places[is_known], ends), shape=shape)


def _weighted(counts, columns, rarity):
    """Both kinds of feature at their own length, so that a long text's n-grams do not drown its words."""
    import numpy

    rows = numpy.repeat(numpy.arange(counts.shape[0]), numpy.diff(counts.indptr))
    counts.data = counts.data * rarity[counts.indices]
    is_word = columns[counts.indices] < _BUCKETS
    for kind, weight in ((is_word, _WORDS), (~is_word, _GRAMS)):
        lengths = numpy.sqrt(numpy.bincount(rows[kind], counts.data[kind] ** 2, counts.shape[0]))
        counts.data[kind] *= (weight / numpy.maximum(lengths, 1e-9))[rows[kind]]
    return counts


def _folded(counts):
    """Each feature added to a few of the dimensions, with a sign: angles stay nearly as they are."""
    import numpy
    from scipy.sparse import csr_matrix

    folded = numpy.zeros((counts.shape[0], DIMENSIONS), numpy.float32)
    for places, signs in _folds():
        each = (counts.data * signs[counts.indices], places[counts.indices], counts.indptr)
        folded += csr_matrix(each, shape=folded.shape).toarray()
    return folded


@cache
def _folds():
    import numpy

    random = numpy.random.default_rng(1)
    return [
        (
            random.integers(0, DIMENSIONS, 2 * _BUCKETS, dtype=numpy.int32),
            1 - 2 * random.integers(0, 2, 2 * _BUCKETS, dtype=numpy.int8),
        )
        for _ in range(_FOLDS)
    ]
