"""Which texts share a cause: groups of vectors, by average linkage after each was drawn towards its nearest.

Short texts say one thing in different words. Each vector is first replaced by the weighted mean of itself and its
nearest neighbours, so that two texts with common neighbours come closer; then groups are joined while their mean
distance stays below the embedder's `cut`. Among few texts fewer neighbours are taken, and the cut is wider for it.
Linkage holds all distances at once: `MOST` bounds it.
"""

from feedbackhub.similarity.embedders import unit

MOST = 10_000
_WIDER = 0.2  # the cut, when nothing is drawn together
_FEW = 10  # texts for each neighbour: among a handful, neighbours are strangers


def group(vectors, *, cut: float, neighbours: int = 0) -> list[int]:
    """A group's number for each vector. One that is nothing (all zero) is alone."""
    import numpy
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(vectors) == 0:
        return []
    vectors = numpy.asarray(vectors, dtype=numpy.float32)
    if len(vectors) > MOST:
        raise ValueError(f"At most {MOST} texts are grouped at once.")
    numbers = -numpy.arange(1, len(vectors) + 1)  # each alone
    full = numpy.flatnonzero(numpy.linalg.norm(vectors, axis=1) > 0)
    if len(full) > 1:
        taken = min(neighbours, len(full) // _FEW)
        cut += _WIDER * (1 - taken / neighbours) if neighbours else 0
        drawn = draw_together(unit(vectors[full]), taken)
        distances = numpy.clip(1 - drawn @ drawn.T, 0, 2)
        numpy.fill_diagonal(distances, 0)
        condensed = squareform(distances, checks=False)
        del distances
        numbers[full] = fcluster(linkage(condensed, "average"), cut, "distance")
    return numbers.tolist()


def draw_together(vectors, neighbours: int):
    """Unit vectors, each the mean of itself and its nearest, weighted by how alike they are."""
    import numpy

    if not neighbours:
        return vectors
    alike = vectors @ vectors.T
    nearest = numpy.argpartition(-alike, min(neighbours, len(vectors) - 1), axis=1)
    nearest = nearest[:, : neighbours + 1]
    weights = numpy.clip(numpy.take_along_axis(alike, nearest, axis=1), 0, 1)
    drawn = numpy.zeros_like(vectors)
    for place in range(nearest.shape[1]):
        drawn += weights[:, place, None] * vectors[nearest[:, place]]
    return unit(drawn)
