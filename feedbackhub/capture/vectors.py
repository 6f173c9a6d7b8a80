"""Vectors of interactions: made, kept up to date, and searched in one place.

Each kind of vector says what text it is made of (`vectors_of`, registered by the app that knows): of what was asked, or of a
case with all that people said about it. A vector is stored with its embedder's name and version; a search names one embedder
and meets its vectors only.

The default embedder is fitted to a project's own texts once there are enough of them, and again when they have doubled.
`renew` then makes all vectors anew beside the old ones and changes over in one transaction; until then the old embedder
serves. A broom makes what is missing, so that a lost message costs seconds.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from pgvector.django import CosineDistance

from feedbackhub.accounts.models import Project
from feedbackhub.capture.models import Embedding, FittedEmbedder, Interaction
from feedbackhub.similarity import tfidf
from feedbackhub.similarity.embedders import Embedder

AT_ONCE = 200
_LOCK = 0x0E3B  # with the project's id: one renewal of a project at a time
_fitted: OrderedDict[tuple[int, str], Embedder] = OrderedDict()
_MOST_FITTED = 8


@dataclass(frozen=True)
class Source:
    """What a kind of vector is made of: the texts of these interactions, and which interactions should have one."""

    texts: Callable[[list[int]], dict[int, str]]
    wanted: Callable[[], QuerySet]


_sources: dict[str, Source] = {}


def vectors_of(kind: str, *, texts, wanted) -> None:
    """Register what a kind of vector is made of."""
    _sources[kind] = Source(texts, wanted)


# --- which embedder ---------------------------------------------------------------------------------


def embedder_of(project_id: int) -> Embedder:
    """The embedder whose vectors this project compares now."""
    if settings.EMBEDDER != "tfidf":
        return _configured(settings.EMBEDDER, settings.EMBEDDER_MODEL, settings.EMBEDDER_KEY)
    version = (
        FittedEmbedder.objects.filter(project=project_id, is_current=True)
        .values_list("version", flat=True)
        .first()
    )
    return _load(project_id, version) if version else _cold()


@cache
def _cold() -> Embedder:
    return tfidf.TfidfEmbedder.cold()


@cache
def _configured(where, model, key) -> Embedder:
    if where.startswith(("http://", "https://")):
        from feedbackhub.similarity.remote_model import RemoteModel

        return RemoteModel(where, model=model, key=key)
    from feedbackhub.similarity.local_model import LocalModel

    return LocalModel(where)


def _load(project_id, version) -> Embedder:
    """A fitted embedder, kept in memory: what a version learnt never changes."""
    key = (project_id, version)
    if key not in _fitted:
        row = FittedEmbedder.objects.get(project=project_id, version=version)
        _fitted[key] = tfidf.TfidfEmbedder.from_bytes(bytes(row.content), version=version)
        if len(_fitted) > _MOST_FITTED:
            _fitted.popitem(last=False)
    return _fitted[key]


# --- making -----------------------------------------------------------------------------------------


def make_vectors(
    *, project_id: int, kind: str, interactions: list[int], embedder=None, anew=False
) -> dict[int, list]:
    """Vectors of these interactions, by id; those that are stored already are not made again unless `anew`."""
    embedder = embedder or embedder_of(project_id)
    stored = {} if anew else _stored(project_id, kind, interactions, embedder)
    texts = _sources[kind].texts([pk for pk in interactions if pk not in stored])
    if not texts:
        return stored
    made = dict(zip(texts, embedder.embed(list(texts.values())), strict=True))
    Embedding.objects.bulk_create(
        [
            Embedding(
                project_id=project_id,
                interaction_id=pk,
                kind=kind,
                embedder=embedder.name,
                embedder_version=embedder.version,
                vector=vector,
            )
            for pk, vector in made.items()
        ],
        update_conflicts=True,
        unique_fields=["interaction", "kind", "embedder", "embedder_version"],
        update_fields=["vector"],
    )
    return {**stored, **made}


def _stored(project_id, kind, interactions, embedder) -> dict[int, list]:
    return dict(
        of_embedder(project_id, kind, embedder)
        .filter(interaction__in=interactions)
        .values_list("interaction_id", "vector")
    )


def of_embedder(project_id, kind, embedder) -> QuerySet:
    """The vectors that may be compared with each other."""
    return Embedding.objects.filter(
        project=project_id,
        kind=kind,
        embedder=embedder.name,
        embedder_version=embedder.version,
    )


# --- searching --------------------------------------------------------------------------------------


@transaction.atomic
def nearest(
    *, project_id: int, kind: str, embedder, vector, limit: int, among: Q | None = None
) -> list[tuple[int, float]]:
    """The nearest interactions and how alike they are (cosine), the nearest first. The one vector search of the house.

    `among` is a condition on Embedding rows. An index of neighbours that is filtered finds too few unless it goes on
    looking, hence the setting. A vector that is all zero is near to nothing.
    """
    if not any(vector):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
    rows = (
        of_embedder(project_id, kind, embedder)
        .filter(among or Q())
        .annotate(distance=CosineDistance("vector", vector))
        .order_by("distance")
        .values_list("interaction_id", "distance")[:limit]
    )
    # the distance to a vector that is all zero is no number
    return [(pk, 1 - distance) for pk, distance in rows if distance == distance]


# --- keeping up to date -----------------------------------------------------------------------------


def make_missing(limit: int = AT_ONCE) -> int:
    """Vectors that should be there and are not under any embedder; answers how many were made."""
    made = 0
    for kind, source in _sources.items():
        has_one = Embedding.objects.filter(interaction=OuterRef("pk"), kind=kind)
        by_project: dict[int, list[int]] = {}
        for project_id, pk in (
            source.wanted()
            .filter(~Exists(has_one), erased_at=None)
            .values_list("project_id", "pk")
            .order_by()[:limit]
        ):
            by_project.setdefault(project_id, []).append(pk)
        for project_id, interactions in by_project.items():
            made += len(make_vectors(project_id=project_id, kind=kind, interactions=interactions))
    return made


def projects_to_renew() -> list[int]:
    """Those with vectors of another embedder than theirs, or with many more texts than theirs was fitted to."""
    return [
        project_id
        for project_id in Project.objects.order_by("pk").values_list("pk", flat=True)
        if _wants_fitting(project_id) or _has_others(project_id, embedder_of(project_id))
    ]


def renew(*, project_id: int) -> int:
    """Bring all vectors of a project under its right embedder; answers how many were made. Safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, project_id])
        if not cursor.fetchone()[0]:
            return 0
    try:
        fresh = _fit(project_id) if _wants_fitting(project_id) else None
        embedder = fresh or embedder_of(project_id)
        made = sum(_make_all(project_id, kind, embedder) for kind in _sources)
        _change_over(project_id, embedder, is_fitted=fresh is not None)
        return made
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, project_id])


def _has_others(project_id, embedder) -> bool:
    return (
        Embedding.objects.filter(project=project_id)
        .exclude(embedder=embedder.name, embedder_version=embedder.version)
        .exists()
    )


def _wants_fitting(project_id) -> bool:
    if settings.EMBEDDER != "tfidf":
        return False
    fitted = (
        FittedEmbedder.objects.filter(project=project_id, is_current=True)
        .values_list("text_count", flat=True)
        .first()
    ) or 0
    enough = max(tfidf.FEWEST, 2 * fitted)
    if fitted >= tfidf.MOST:
        return False
    kept = Interaction.objects.filter(project=project_id, erased_at=None)
    return len(kept.values_list("pk")[:enough]) >= enough


def _fit(project_id) -> Embedder:
    newest = Interaction.objects.filter(project=project_id, erased_at=None).order_by("-pk")
    texts = [text for each in newest.only("messages")[: tfidf.MOST] if (text := question(each))]
    if len(texts) < tfidf.FEWEST:
        return None
    embedder = tfidf.TfidfEmbedder.fit(texts)
    FittedEmbedder.objects.get_or_create(
        project_id=project_id,
        version=embedder.version,
        defaults={"content": embedder.to_bytes(), "text_count": len(texts)},
    )
    return embedder


def _make_all(project_id, kind, embedder) -> int:
    """Vectors under `embedder` for whatever has one under another."""
    made = 0
    ours = of_embedder(project_id, kind, embedder).filter(interaction=OuterRef("interaction_id"))
    while True:
        lacking = list(
            Embedding.objects.filter(~Exists(ours), project=project_id, kind=kind)
            .order_by("interaction_id")
            .values_list("interaction_id", flat=True)
            .distinct()[:AT_ONCE]
        )
        if not lacking:
            return made
        vectors = make_vectors(
            project_id=project_id, kind=kind, interactions=lacking, embedder=embedder
        )
        made += len(vectors)
        gone = set(lacking) - set(vectors)  # erased meanwhile, or no text any more
        Embedding.objects.filter(project=project_id, kind=kind, interaction__in=gone).delete()


@transaction.atomic
def _change_over(project_id, embedder, *, is_fitted) -> None:
    if is_fitted:
        fitted = FittedEmbedder.objects.filter(project=project_id)
        fitted.filter(is_current=True).update(is_current=False)
        fitted.filter(version=embedder.version).update(is_current=True)
        fitted.filter(is_current=False).delete()
    Embedding.objects.filter(project=project_id).exclude(
        embedder=embedder.name, embedder_version=embedder.version
    ).delete()


def question(interaction) -> str:
    """What was asked, as it is compared."""
    return interaction.last_user_message
