"""The label schema in the settings: the preview, what ends a category, lists, versions, files; and experts' proposals."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation import schema_files, waits
from annotation.default_rules import install_defaults
from annotation.models import CategoryProposal, LabelSchema, ReviewQueue
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import judge
from tests.factories import LabelSchemaFactory, ReviewItemFactory
from tests.pages import assert_same_queries

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>"
CATEGORY = {
    "name": "Out of season",
    "meaning": "True, and for another time of the year.",
    "default_severity": "low",
    "seen": 1,
}


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


@pytest.fixture
def schema(project):
    install_defaults(project)
    return LabelSchema.objects.get(project=project)


def now():
    return LabelSchema.objects.get(is_current=True, name="default")


# --- preview --------------------------------------------------------------------------------------


def test_the_preview_is_the_review_form_with_what_is_typed_and_keeps_nothing(as_user, ben, schema):
    answer = as_user(ben).post(
        url("schema_category", "outdated"), {**CATEGORY, "name": HOSTILE}, headers=HTMX
    )
    text = answer.content.decode()
    assert "annotation/_review_decision.html" in [each.name for each in answer.templates]
    assert "&lt;script&gt;" in text and HOSTILE not in text
    assert 'data-meaning="outdated" data-shown' in text
    assert "<html" not in text
    assert LabelSchema.objects.get().categories == schema.categories


def test_the_preview_says_when_what_is_typed_does_not_fit(as_user, ben, schema):
    answer = as_user(ben).post(url("new_category"), {**CATEGORY, "name": ""}, headers=HTMX)
    assert answer.status_code == 200
    assert answer.context["is_behind"]


def test_guidelines_are_previewed_as_harmless_markdown(as_user, ben, schema):
    answer = as_user(ben).post(
        url("schema_guidelines"), {"guidelines": f"**well** {HOSTILE}", "seen": 1}, headers=HTMX
    )
    assert "<strong>well</strong>" in answer.content.decode()
    assert HOSTILE not in answer.content.decode()
    assert now().guidelines == schema.guidelines


def rows_of(*rows, initial):
    posted = {"seen": 1, "row-TOTAL_FORMS": len(rows), "row-INITIAL_FORMS": initial}
    for place, row in enumerate(rows):
        posted |= {f"row-{place}-{name}": value for name, value in row.items()}
    return posted


def test_a_criterion_says_what_good_means_to_the_expert(as_user, ben, schema):
    row = {"name": "Clarity", "good": "A child would get it.", "scale": 4, "required": "on"}
    address = url("schema_list", "rubric")
    text = as_user(ben).post(address, rows_of(row, initial=0), headers=HTMX).content.decode()
    assert "4: A child would get it." in text
    assert now().rubric == []
    as_user(ben).post(address, rows_of(row, initial=0))
    assert now().rubric == [
        {
            "key": "clarity",
            "name": "Clarity",
            "good": "A child would get it.",
            "scale": 4,
            "required": True,
        }
    ]


def test_marks_are_renamed_moved_removed_and_added_at_once(as_user, ben, schema):
    first, second, third = schema.span_labels[:3]
    as_user(ben).post(
        url("schema_list", "span_labels"),
        rows_of(
            {**first, "name": "Untrue", "category": "factual_error", "ORDER": 2},
            {**second, "ORDER": 1},
            {**third, "DELETE": "on", "ORDER": 3},
            {"name": "Wrong", "ORDER": 4},
            initial=3,
        ),
    )
    assert now().span_labels == [
        second,
        {**first, "name": "Untrue", "category": "factual_error"},
        {"key": "wrong_2", "name": "Wrong"},
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [{"name": "Same"}, {"name": "Same"}],
        [{"name": "Clear", "good": "x", "scale": 1}],
        [{"name": "Clear", "good": "", "scale": 5}],
    ],
)
def test_a_list_that_makes_no_sense_is_refused(rows, as_user, ben, schema):
    answer = as_user(ben).post(url("schema_list", "rubric"), rows_of(*rows, initial=0))
    assert answer.status_code == 400
    assert now().rubric == []


def test_a_posted_key_that_the_schema_does_not_have_is_made_anew(as_user, ben, schema):
    row = {"key": "forged", "name": "Model was tired"}
    as_user(ben).post(url("schema_list", "root_causes"), rows_of(row, initial=0))
    assert [each["key"] for each in now().root_causes] == ["model_was_tired"]


# --- ends of categories ---------------------------------------------------------------------------


def test_merge_split_retire_and_restore_from_the_page(as_user, ben, schema):
    client = as_user(ben)
    client.post(url("merge_category", "outdated"), {"into": "factual_error", "seen": 1})
    client.post(url("split_category", "tone"), {"names": "Curt\nJolly", "seen": 1})
    client.post(url("retire_category", "slow"), {"seen": 1})
    ended = {row["key"]: row["into"] for row in now().former}
    assert ended == {"outdated": ["factual_error"], "tone": ["curt", "jolly"], "slow": []}
    page = client.get(url("settings_schema")).content.decode()
    for words in ("Outdated (now Factual error)", "Tone (now split into Curt, Jolly)"):
        assert words in page
    client.post(url("restore_category", "slow"), {"seen": 1})
    assert now().category_keys[-1] == "slow"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("merge_category", {"into": "nothing"}),
        ("merge_category", {"into": "outdated"}),
        ("merge_category", {}),
        ("split_category", {"names": "One"}),
        ("split_category", {"names": "x" * 61 + "\nTwo"}),
    ],
)
def test_an_end_that_makes_no_sense_is_refused_with_a_reason(name, given, as_user, ben, schema):
    answer = as_user(ben).post(url(name, "outdated"), {**given, "seen": 1}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert now().categories == schema.categories


def test_a_category_is_moved_to_where_the_keys_are(as_user, ben, schema):
    last = schema.category_keys[-1]
    as_user(ben).post(url("move_category", last), {"to": "up", "seen": 1})
    assert now().category_keys[-2] == last
    page = as_user(ben).get(url("settings_schema"))
    shortcuts = [row["shortcut"] for row in page.context["listed"]]
    assert shortcuts == [*"qwertyuiopzxvb", "", ""]
    assert page.context["keyless_count"] == 2


def test_forty_categories_are_all_on_the_review_screen(as_user, ana, ben, schema):
    row = schema.categories[0]
    many = [{**row, "key": f"c{n}", "name": f"Category {n}"} for n in range(40)]
    LabelSchema.objects.update(categories=many)
    ReviewItemFactory(queue=ReviewQueue.objects.get())
    text = as_user(ana).get(url("review"), follow=True).content.decode()
    assert text.count('name="categories"') == 40
    keys = as_user(ana).get(url("own_keys")).content.decode()
    assert 'name="category:c39"' in keys


# --- other schemas --------------------------------------------------------------------------------


def test_another_schema_begins_as_a_copy_and_is_changed_alone(as_user, ben, schema):
    client = as_user(ben)
    client.post(url("new_schema"), {"name": "tone"})
    client.post(url("new_category") + "?schema=tone", CATEGORY)
    made = LabelSchema.objects.get(name="tone")
    assert made.category_keys == [*schema.category_keys, "out_of_season"]
    assert now().categories == schema.categories
    assert client.get(url("settings_schema") + "?schema=tone").context["schema"] == made
    assert client.get(url("settings_schema") + "?schema=nothing").status_code == 404


def test_a_second_schema_of_one_name_is_refused(as_user, ben, schema):
    for _ in range(2):
        answer = as_user(ben).post(url("new_schema"), {"name": "tone"}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]][-1] == "error"
    assert LabelSchema.objects.filter(name="tone").count() == 1


# --- versions -------------------------------------------------------------------------------------


@pytest.fixture
def changed(as_user, ana, ben, schema):
    """Version 2: one renamed, one merged. An answer was given under version 1."""
    queue = ReviewQueue.objects.get()
    ReviewItemFactory(queue=queue)
    judge(ana, queue, categories=["outdated"])
    client = as_user(ben)
    category = schema.category("tone")
    client.post(url("schema_category", "tone"), {**category, "name": "Manner", "seen": 1})
    client.post(url("merge_category", "outdated"), {"into": "factual_error", "seen": 2})
    return client


def test_versions_are_listed_with_their_answers_and_differences(changed):
    versions = changed.get(url("schema_versions")).context["list"]
    assert [(each.version, each.answer_count) for each in versions] == [(2, 0), (1, 1)]
    page = changed.get(url("schema_differences", 1, 2))
    told = [(str(each["how"]), each["name"]) for each in page.context["changes"]]
    assert told == [("merged into", "Outdated"), ("changed", "Factual error"), ("changed", "Tone")]
    assert "Manner" in page.content.decode()
    assert changed.get(url("schema_differences", 1, 99)).status_code == 404


def test_versions_cost_the_same_queries_with_one_and_with_three(as_user, ben, schema):
    def grow(number):
        for _ in range(number):
            version = LabelSchema.objects.count() + 1
            LabelSchemaFactory(project=schema.project, version=version, is_current=False)

    assert_same_queries(as_user(ben), url("schema_versions"), grow)


# --- files ----------------------------------------------------------------------------------------


def send(client, text, *, apply=False, seen=1):
    if apply:
        return client.post(url("take_in_schema"), {"text": text, "apply": "1", "seen": seen})
    file = SimpleUploadedFile("schema.json", text.encode())
    return client.post(url("take_in_schema"), {"file": file, "seen": seen})


def test_a_schema_goes_out_and_comes_in_the_same(changed):
    before = now()
    text = changed.get(url("schema_file", 2)).content.decode()
    assert json.loads(text)["former"][0]["into"] == ["factual_error"]
    page = send(changed, text, seen=2)
    assert page.context["is_read"] and page.context["changes"] == []
    send(changed, text, apply=True, seen=2)
    assert schema_files.write(now()) == schema_files.write(before)


def test_a_file_is_shown_before_it_is_taken_in_and_what_it_leaves_out_is_retired(
    as_user, ben, schema
):
    given = json.loads(schema_files.write(schema))
    gone = given["categories"].pop(2)
    given["categories"][0]["name"] = "Untrue"
    text = json.dumps(given)
    page = send(as_user(ben), text)
    told = [(str(each["how"]), each["name"]) for each in page.context["changes"]]
    assert told == [("retired", gone["name"]), ("changed", "Factual error")]
    assert now().categories == schema.categories
    send(as_user(ben), text, apply=True)
    assert now().categories[0]["name"] == "Untrue"
    assert now().former == [{**gone, "into": []}]


def test_the_previewed_text_survives_the_page_as_it_was(as_user, ben, schema):
    given = json.loads(schema_files.write(schema))
    given["guidelines"] = f'A "quote"\r\n\n{HOSTILE} 🙂'
    page = send(as_user(ben), json.dumps(given))
    assert HOSTILE not in page.content.decode()
    form = page.context["form"]
    send(as_user(ben), form["text"].value(), apply=True)
    assert now().guidelines == given["guidelines"]


def test_a_file_of_an_older_page_is_refused(changed):
    text = changed.get(url("schema_file", 1)).content.decode()
    assert send(changed, text, apply=True, seen=1).status_code == 409
    assert now().version == 2


def broken(schema, change):
    given = json.loads(schema_files.write(schema))
    change(given)
    return json.dumps(given)


WRONG = {
    "categories[3].name": lambda s: s["categories"][3].update(name=""),
    "categories[0].key": lambda s: s["categories"][0].update(key="No Key"),
    "categories[1].key": lambda s: s["categories"][1].update(key=s["categories"][0]["key"]),
    "categories[2].colour": lambda s: s["categories"][2].update(colour="red"),
    "categories[0].default_severity": lambda s: s["categories"][0].update(default_severity="x"),
    "categories[0].meaning": lambda s: s["categories"][0].update(meaning=7),
    "categories[0].reported_as[0]": lambda s: s["categories"][0].update(reported_as=["rude"]),
    "categories[4]": lambda s: s["categories"].__setitem__(4, "tone"),
    "categories": lambda s: s.update(categories=[]),
    "span_labels[0].name": lambda s: s["span_labels"][0].pop("name"),
    "span_labels[1].category": lambda s: s["span_labels"][1].update(category="No Key"),
    "rubric[0].scale": lambda s: s.update(rubric=[{"key": "a", "name": "A", "scale": 99}]),
    "former[0].into[0]": lambda s: s.update(
        former=[{**s["categories"].pop(), "into": ["nothing"]}]
    ),
    "former[0].into": lambda s: s.update(former=[{**s["categories"].pop(), "into": ["slow"]}]),
    "guidelines": lambda s: s.update(guidelines=None),
    "surprise": lambda s: s.update(surprise=1),
    "format": lambda s: s.update(format="csv"),
    "format_version": lambda s: s.update(format_version=2),
}


@pytest.mark.parametrize("where", WRONG)
def test_a_file_that_does_not_fit_names_the_place_and_changes_nothing(where, as_user, ben, schema):
    answer = send(as_user(ben), broken(schema, WRONG[where]))
    assert answer.status_code == 400
    assert where in [error["where"] for error in answer.context["errors"]]
    assert now().categories == schema.categories


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, '"\\ud800"'],
    ids=["empty", "open", "list", "null", "twice", "nan", "deep", "half-a-pair"],
)
def test_what_is_no_schema_at_all_is_refused(text, as_user, ben, schema):
    assert send(as_user(ben), text).status_code == 400


def test_a_file_that_is_not_text_is_refused(as_user, ben, schema):
    file = SimpleUploadedFile("schema.json", b"\xff\xfe\x00")
    answer = as_user(ben).post(url("take_in_schema"), {"file": file, "seen": 1})
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["file"])


# --- proposals ------------------------------------------------------------------------------------


def propose(client, name="Too technical"):
    return client.post(url("what_can_be_said"), {"name": name, "meaning": "Nobody gets it."})


def test_an_expert_proposes_and_reads_what_became_of_it_once_as_news(as_user, ana, ben, schema):
    assert propose(as_user(ana)).status_code == 302
    proposal = CategoryProposal.objects.get()
    as_user(ben).post(
        url("answer_proposal", proposal.pk), {"into": "tone", "answer": "Tone has it."}
    )
    proposal.refresh_from_db()
    assert (proposal.state, proposal.category_key, proposal.decided_by) == ("merged", "tone", ben)
    assert "Answered to your proposals" in as_user(ana).get(url("waits_for_me")).content.decode()
    assert answers_for(schema.project, ana) == 1
    for is_news in (True, False):
        page = as_user(ana).get(url("what_can_be_said"))
        (shown,) = page.context["list"]
        assert (shown.is_news, shown.became, shown.answer) == (is_news, "Tone", "Tone has it.")
        assert "It belongs to “Tone”" in page.content.decode()
    assert answers_for(schema.project, ana) == 0


def answers_for(project, user) -> int:
    return waits.count(Membership.objects.get(project=project, user=user)).answers


def test_an_accepted_proposal_names_the_category_it_became(as_user, ana, ben, schema):
    propose(as_user(ana))
    proposal = CategoryProposal.objects.get()
    address = f"{url('new_category')}?proposal={proposal.pk}"
    as_user(ben).post(address, {**CATEGORY, "name": "Technical", "proposal": proposal.pk})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.category_key) == ("accepted", "technical")


def test_a_proposal_is_answered_once(as_user, ana, ben, schema):
    propose(as_user(ana))
    proposal = CategoryProposal.objects.get()
    as_user(ben).post(url("answer_proposal", proposal.pk), {"answer": "No."})
    as_user(ben).post(url("answer_proposal", proposal.pk), {"into": "tone"})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.answer) == ("declined", "No.")


def test_the_same_proposal_twice_and_too_many_are_refused(as_user, ana, schema):
    propose(as_user(ana))
    assert propose(as_user(ana), "too TECHNICAL").status_code == 409
    for number in range(20):
        answer = propose(as_user(ana), f"Number {number}")
    assert answer.status_code == 409
    assert CategoryProposal.objects.count() == 20


def test_an_expert_sees_their_own_proposals_only(as_user, ana, ben, schema):
    propose(as_user(ben), HOSTILE)
    assert list(as_user(ana).get(url("what_can_be_said")).context["list"]) == []
    text = as_user(ben).get(url("what_can_be_said")).content.decode()
    assert HOSTILE not in text and "&lt;script&gt;" in text


def test_who_may_not_change_the_schema_may_not_answer_and_strangers_see_nothing(
    as_user, ana, dana, eve, ben, schema
):
    propose(as_user(ana))
    proposal = CategoryProposal.objects.get()
    for user, status in ((ana, 403), (dana, 403), (eve, 404)):
        assert as_user(user).post(url("answer_proposal", proposal.pk), {}).status_code == status
        assert as_user(user).get(url("settings_schema")).status_code == status
        assert as_user(user).get(url("schema_file", 1)).status_code == status
    assert as_user(dana).get(url("what_can_be_said")).status_code == 403
    proposal.refresh_from_db()
    assert proposal.state == "open"
