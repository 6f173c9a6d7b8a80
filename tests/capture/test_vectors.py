"""Vectors are made once, kept under one embedder, and searched in one place."""

import pytest
from django.db import connection
from django.db.models import Q

from feedbackhub.capture import vectors
from feedbackhub.capture.models import Embedding, FittedEmbedder
from feedbackhub.similarity import tfidf
from tests.factories import InteractionFactory, ProblemFactory, ProblemMemberFactory

pytestmark = pytest.mark.django_db


def asked(project, words, **fields):
    return InteractionFactory(
        project=project, messages=[{"role": "user", "content": words}], **fields
    )


def member(project, words, problem=None):
    problem = problem or ProblemFactory(project=project)
    return ProblemMemberFactory(problem=problem, interaction=asked(project, words)).interaction


def make(*interactions, **more):
    return vectors.make_vectors(
        project_id=interactions[0].project_id,
        kind="case",
        interactions=[each.pk for each in interactions],
        **more,
    )


def test_a_vector_is_stored_with_the_name_and_version_of_its_embedder(project):
    make(asked(project, "Can I deduct my bicycle?"))
    stored = Embedding.objects.get()
    assert (stored.kind, stored.embedder, stored.embedder_version) == ("case", "tfidf", "cold-1")


def test_made_twice_is_stored_once_and_anew_follows_the_words(project):
    row = asked(project, "Can I deduct my bicycle?")
    first = make(row)[row.pk]
    row.messages = [{"role": "user", "content": "Which form for rent from abroad?"}]
    row.save()
    assert list(make(row)[row.pk]) == pytest.approx(list(first), abs=1e-6)
    assert list(make(row, anew=True)[row.pk]) != pytest.approx(list(first), abs=1e-6)
    assert Embedding.objects.count() == 1


def test_the_nearest_come_first_and_vectors_of_another_embedder_or_project_never(
    project, other_project
):
    near = asked(project, "Can I deduct my bicycle this year?")
    far = asked(project, "Which form for rent from abroad?")
    make(near, far)
    make(asked(other_project, "Can I deduct my bicycle?"))
    query = make(asked(project, "Can I deduct my bicycle?"))
    Embedding.objects.filter(interaction__in=query).update(embedder_version="another")
    found = vectors.nearest(
        project_id=project.pk,
        kind="case",
        embedder=vectors.embedder_of(project.pk),
        vector=next(iter(query.values())),
        limit=10,
    )
    assert [pk for pk, _alike in found] == [near.pk, far.pk]
    assert found[0][1] > 0.6 > found[1][1]


def test_a_filtered_search_finds_what_is_hidden_behind_many_others(project):
    """Without the iterative scan the index of neighbours gives up after its first few."""
    rows = [asked(project, f"Can I deduct my bicycle number {n}?") for n in range(60)]
    hidden = asked(project, "Which form for rent from abroad, please?")
    made = make(*rows, hidden)
    embedder = vectors.embedder_of(project.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL hnsw.ef_search = 10")
        cursor.execute("DROP INDEX embedding_of")
    found = vectors.nearest(
        project_id=project.pk,
        kind="case",
        embedder=embedder,
        vector=made[rows[0].pk],
        limit=1,
        among=Q(interaction__external_id=hidden.external_id),
    )
    assert [pk for pk, _alike in found] == [hidden.pk]


def test_nothing_is_near_to_nothing(project):
    make(asked(project, "Can I deduct my bicycle?"))
    blank = asked(project, " ")
    vector = make(blank)[blank.pk]
    embedder = vectors.embedder_of(project.pk)
    assert vectors.nearest(project_id=project.pk, kind="case", embedder=embedder, vector=vector, limit=5) == []  # fmt: skip


def test_the_broom_makes_what_is_missing_and_nothing_twice(project):
    member(project, "Can I deduct my bicycle?")
    member(project, "Which form for rent from abroad?")
    asked(project, "Nobody complained about this one.")
    assert (vectors.make_missing(), vectors.make_missing()) == (2, 0)


def test_enough_texts_fit_an_embedder_and_all_vectors_change_over(project, monkeypatch):
    monkeypatch.setattr(tfidf, "FEWEST", 6)
    rows = [member(project, f"Can I deduct my bicycle number {n}?") for n in range(4)]
    make(*rows)
    assert vectors.projects_to_renew() == []
    member(project, "Which form for rent from abroad?")
    member(project, "Is the exchange rate fixed?")
    assert vectors.projects_to_renew() == [project.pk]
    assert vectors.renew(project_id=project.pk) == 4
    fitted = FittedEmbedder.objects.get()
    assert fitted.is_current
    assert set(Embedding.objects.values_list("embedder_version", flat=True)) == {fitted.version}
    assert vectors.embedder_of(project.pk).version == fitted.version
    assert vectors.projects_to_renew() == []


def test_a_renewal_that_was_cut_short_is_finished_by_the_next(project, monkeypatch):
    rows = [member(project, f"Can I deduct my bicycle number {n}?") for n in range(5)]
    make(*rows)
    Embedding.objects.update(embedder_version="cold-0")
    make(rows[0])
    assert vectors.projects_to_renew() == [project.pk]
    vectors.renew(project_id=project.pk)
    assert list(Embedding.objects.values_list("embedder_version", flat=True)) == ["cold-1"] * 5
