"""One's own keys: changed, printed on the screen, refused when two acts share one."""

import pytest

from annotation import review_keys
from annotation.models import LabelSchema
from annotation.settling import current_schema
from tests.annotation.desk import queue_with
from tests.factories import LabelSchemaFactory

KEYS = "/p/tax-help/review/keys/"


@pytest.fixture
def acts(project):
    queue, _items = queue_with(project, items=1, name="Tax", slug="tax")
    return review_keys.acts_of([current_schema(queue)])


def map_of(acts, **changed):
    """What the form posts: every act with its key; `verdict_wrong="ö"` names `verdict:wrong`."""
    keys = {act.name: act.default for act in acts}
    keys.update({name.replace("__", ":"): key for name, key in changed.items()})
    return keys


def test_the_house_has_no_conflict(acts):
    assert review_keys.conflicts(acts, {}) == {}


def test_no_key_of_the_house_needs_altgr_on_qwerty_qwertz_or_azerty():
    """Pressed with AltGr a key is none (static/js/review/keys.js)."""
    rubric = [{"key": f"c{n}", "name": f"C{n}", "scale": 5} for n in range(6)]
    acts = review_keys.acts_of([LabelSchema(rubric=rubric)])
    assert [act.default for act in acts if act.name.startswith("rubric:")] == [*";:*%", "", ""]
    assert set("".join(act.default for act in acts)) & set("@#~{}[]|\\`^€¤µ²³") == set()


def test_changed_key_is_printed_on_the_screen_and_only_it_is_kept(as_user, ana, acts):
    as_user(ana).post(KEYS, map_of(acts, verdict__wrong="ö"))
    ana.refresh_from_db()
    assert ana.review_keys == {"verdict:wrong": "ö"}
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    assert 'value="wrong" data-key="ö"' in html


def test_each_criterion_has_a_key_that_leads_to_its_scores(as_user, ana, project):
    rubric = [
        {"key": key, "name": key.title(), "scale": 5, "required": True} for key in ("clear", "kind")
    ]
    LabelSchemaFactory(project=project, rubric=rubric)
    queue, _items = queue_with(project, name="Tax", slug="tax")
    acts = review_keys.acts_of([current_schema(queue)])
    assert review_keys.conflicts(acts, {}) == {}
    as_user(ana).post(KEYS, map_of(acts, rubric__kind="ö"))
    html = as_user(ana).get("/p/tax-help/review/", follow=True).content.decode()
    for key, cap in (("clear", ";"), ("kind", "ö")):
        assert f'data-key="{cap}" data-focuses="rubric-{key}"' in html
        assert f'id="rubric-{key}" name="rubric.{key}" value="1"' in html


@pytest.mark.parametrize("key", ["3", "n"])
def test_key_that_another_act_has_is_refused_and_both_are_named(as_user, ana, acts, key):
    refused = as_user(ana).post(KEYS, map_of(acts, note=key))
    ana.refresh_from_db()
    assert (refused.status_code, ana.review_keys) == (400, {})
    named = {
        row["act"].name: row["others"]
        for rows in refused.context["groups"].values()
        for row in rows
        if row["others"]
    }
    other = next(act for act in acts if act.default == key and act.scope == "screen")
    assert named == {"note": [other.label], other.name: ["Write a note"]}


def test_marks_have_their_keys_to_themselves(as_user, ana, acts):
    mark = next(act for act in acts if act.scope == "mark")
    as_user(ana).post(KEYS, map_of(acts) | {mark.name: "q"})
    ana.refresh_from_db()
    assert ana.review_keys == {mark.name: "q"}


@pytest.mark.parametrize("key", ["?", "/", "ab", "\U0001f9fe\U0001f9fe", "_"])
def test_key_that_cannot_be_is_refused(as_user, ana, acts, key):
    assert as_user(ana).post(KEYS, map_of(acts, note=key)).status_code == 400
    ana.refresh_from_db()
    assert ana.review_keys == {}


def test_act_may_have_no_key(as_user, ana, acts):
    as_user(ana).post(KEYS, map_of(acts, note=""))
    ana.refresh_from_db()
    assert ana.review_keys == {"note": ""}


def test_house_keys_come_back_and_those_of_other_schemas_stay(as_user, ana, acts):
    ana.review_keys = {"note": "ö", "category:elsewhere": "q"}
    ana.save()
    as_user(ana).post(KEYS, {"defaults": "1"})
    ana.refresh_from_db()
    assert ana.review_keys == {"category:elsewhere": "q"}
