"""Queues, routing rules and the label schema in the settings."""

import pytest
from django.urls import reverse

from annotation import adjudication, rules
from annotation.default_rules import install_defaults
from annotation.models import (
    CategoryProposal,
    LabelSchema,
    QueueMember,
    ReviewItem,
    ReviewQueue,
    RoutingMatch,
    RoutingRule,
)
from feedbackhub.accounts.members import remove_member
from feedbackhub.accounts.models import Membership
from tests.annotation.desk import judge, queue_with
from tests.factories import (
    FeedbackEventFactory,
    InteractionFactory,
    LabelSchemaFactory,
    QueueMemberFactory,
    ReviewItemFactory,
    ReviewQueueFactory,
)
from tests.pages import assert_same_queries

HOSTILE = "<script>alert(1)</script>"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


# --- queues ---------------------------------------------------------------------------------------

QUEUE = {
    "name": "Tax",
    "is_open": "on",
    "overlap": 2,
    "overlap_percent": 100,
    "consensus": "majority",
    "on_tie": "lead",
    "agreement_items": 20,
    "order": "priority",
    "calibration_percent": 0,
    "calibration_bar": 70,
    "onboarding_count": 0,
    "repeat_percent": 0,
    "repeat_weeks": 4,
    "is_blind": "on",
    "held_ahead": 3,
    "lease_minutes": 30,
}


def test_a_lead_makes_a_queue_with_its_members(as_user, ben, ana, project):
    as_user(ben).post(
        url("new_queue"), {**QUEUE, "members": [ana.public_id, ben.public_id], "intake_cap": 50}
    )
    queue = ReviewQueue.objects.get(name="Tax")
    assert (queue.slug, queue.overlap, queue.intake_cap, queue.is_blind) == ("tax", 2, 50, True)
    assert set(queue.members.all()) == {ana, ben}


def test_each_setting_of_a_queue_stands_under_one_heading(as_user, ben, project):
    form = as_user(ben).get(reverse("new_queue", args=[project.slug])).context["form"]
    shown = [field.name for _heading, fields in form.sections for field in fields]
    assert sorted(shown) == sorted(form.fields)


def test_two_queues_of_one_name_get_two_slugs(as_user, ben, project):
    for _ in range(2):
        as_user(ben).post(url("new_queue"), QUEUE)
    assert set(ReviewQueue.objects.values_list("slug", flat=True)) == {"tax", "tax-2"}


def test_a_member_who_stays_is_not_made_anew_and_one_who_goes_is_gone(
    as_user, ben, ana, olu, project
):
    queue = ReviewQueueFactory(project=project)
    stays = QueueMemberFactory(queue=queue, user=ana)
    QueueMemberFactory(queue=queue, user=olu)
    as_user(ben).post(
        url("settings_queue", queue.public_id),
        {**QUEUE, "members": [ana.public_id, ben.public_id]},
    )
    assert set(queue.members.all()) == {ana, ben}
    assert QueueMember.objects.get(user=ana) == stays


def test_who_left_stays_named_so_that_the_queue_does_not_open_to_everybody(
    as_user, ben, ana, project
):
    queue = ReviewQueueFactory(project=project, name="Tax", overlap=1)
    QueueMemberFactory(queue=queue, user=ana)
    remove_member(membership=Membership.objects.get(user=ana))
    page = as_user(ben).get(url("settings_queue", queue.public_id))
    assert "Ana (judges here no longer)" in page.content.decode()
    given = {**QUEUE, "overlap": 1, "members": page.context["form"]["members"].value()}
    assert list(
        as_user(ben).post(url("settings_queue", queue.public_id), given).context["form"].errors
    ) == ["members"]
    given["members"] += [ben.public_id]
    as_user(ben).post(url("settings_queue", queue.public_id), given)
    assert set(queue.members.all()) == {ana, ben}
    given["members"] = []
    as_user(ben).post(url("settings_queue", queue.public_id), given)
    assert not queue.members.exists()  # unticked: that is what was asked for


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"overlap": 0}, "overlap"),
        ({"overlap": 10}, "overlap"),
        ({"overlap_percent": 101}, "overlap_percent"),
        ({"adds_reviewer_below": 1.5}, "adds_reviewer_below"),
        ({"agreement_items": 1}, "agreement_items"),
        ({"schema_name": "nothing"}, "schema_name"),
        ({"due_hours": 0}, "due_hours"),
        ({"daily_cap": 0}, "daily_cap"),
        ({"consensus": "loudest"}, "consensus"),
        ({"everybody_judges": "on"}, "members"),
        ({"lease_minutes": 1441}, "lease_minutes"),
        ({"held_ahead": 11}, "held_ahead"),
        ({"intake_cap": 0}, "intake_cap"),
        ({"intake_cap": 99_999_999_999}, "intake_cap"),
        ({"name": ""}, "name"),
    ],
)
def test_a_queue_that_makes_no_sense_is_refused_and_what_was_typed_stays(
    change, field, as_user, ben, project
):
    answer = as_user(ben).post(url("new_queue"), {**QUEUE, "name": "Kept words", **change})
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert "Kept words" in answer.content.decode() or field == "name"
    assert not ReviewQueue.objects.exists()


def test_people_and_queues_of_another_project_cannot_be_chosen(
    as_user, ben, eve, project, other_project
):
    theirs = ReviewQueueFactory(project=other_project)
    answer = as_user(ben).post(
        url("new_queue"),
        {**QUEUE, "members": [eve.public_id], "not_my_field_queue": theirs.pk},
    )
    assert set(answer.context["form"].errors) == {"members", "not_my_field_queue"}
    assert as_user(ben).get(url("settings_queue", theirs.public_id)).status_code == 404


def test_a_queue_names_its_schema_and_keeps_it_while_it_holds_items(as_user, ben, project):
    for name in ("default", "tone"):
        LabelSchemaFactory(project=project, name=name)
    client = as_user(ben)
    client.post(url("new_queue"), {**QUEUE, "overlap": 1, "schema_name": "tone"})
    queue = ReviewQueue.objects.get()
    assert queue.schema_name == "tone"
    address = url("settings_queue", queue.public_id)
    client.post(address, {**QUEUE, "overlap": 1, "schema_name": "default"})
    queue.refresh_from_db()
    assert queue.schema_name == "default"
    ReviewItemFactory(queue=queue)
    answer = client.post(address, {**QUEUE, "overlap": 1, "schema_name": "tone"})
    assert list(answer.context["form"].errors) == ["schema_name"]


def test_a_queue_names_at_least_as_many_people_as_judge_an_item(as_user, ben, ana, project):
    given = {**QUEUE, "overlap": 3, "members": [ana.public_id, ben.public_id]}
    answer = as_user(ben).post(url("new_queue"), given)
    assert list(answer.context["form"].errors) == ["members"]


def test_a_queues_page_shows_what_each_persons_word_weighs(as_user, ben, ana, project):
    queue, _items = queue_with(project, consensus="weighted", overlap=2)
    judge(ana, queue)
    judge(ben, queue, "correct", "none")
    item = queue.items.get()
    adjudication.decide(item=item, by=ben, verdict="wrong", severity="medium", reason="It is.")
    page = as_user(ben).get(url("settings_queue", queue.public_id))
    weights = {each["user"]: each["weight"] for each in page.context["judges"]}
    assert weights == {ana: 0.67, ben: 0.33}
    assert ">0.67<" in page.content.decode()


def test_an_engineer_may_not_judge_so_cannot_be_a_member(as_user, ben, dana, project):
    answer = as_user(ben).post(url("new_queue"), {**QUEUE, "members": [dana.public_id]})
    assert answer.context["form"].errors["members"]


def test_the_list_of_queues_says_what_waits(as_user, ben, project):
    queue = ReviewQueueFactory(project=project, name="Tax")
    ReviewItemFactory.create_batch(2, queue=queue)
    ReviewItemFactory(queue=queue, state="dismissed")
    (row,) = as_user(ben).get(url("settings_queues")).context["list"]
    assert row.waiting == "2"


def test_queues_cost_the_same_queries_with_one_and_with_three(as_user, ben, ana, project):
    def grow(number):
        for queue in ReviewQueueFactory.create_batch(number, project=project):
            QueueMemberFactory(queue=queue, user=ana)
            ReviewItemFactory(queue=queue)

    assert_same_queries(as_user(ben), url("settings_queues"), grow)


# --- rules ----------------------------------------------------------------------------------------


@pytest.fixture
def queue(project):
    return ReviewQueueFactory(project=project, slug="tax")


def a_rule(project, queue, name="Thumbs down", **fields):
    fields = {"when": {"kinds": ["thumbs_down"]}, **fields}
    return rules.save_rule(rule=RoutingRule(project=project, name=name, queue=queue, **fields))


def form_of(queue, /, **fields):
    return {
        "name": "Complaints in the north",
        "is_active": "on",
        "action": "review",
        "queue": queue.pk,
        "priority": 30,
        **fields,
    }


def test_a_lead_writes_a_rule_in_words(as_user, ben, project, queue):
    as_user(ben).post(
        url("new_rule"),
        form_of(
            queue,
            kinds=["thumbs_down", "report"],
            max_score="0.3",
            features="tax_help, advice",
            metadata='tenant = north\nbeta = true\nseats = 3\nversion = "4"',
            act="save",
        ),
    )
    rule = RoutingRule.objects.get()
    assert rule.when == {
        "kinds": ["thumbs_down", "report"],
        "features": ["tax_help", "advice"],
        "metadata": {"tenant": "north", "beta": True, "seats": 3, "version": "4"},
        "max_score": 0.3,
    }
    assert (rule.queue, rule.priority, rule.position) == (queue, 30, 10)


def test_what_a_rule_says_comes_back_into_its_form_as_it_was(as_user, ben, project, queue):
    when = {
        "kinds": ["report"],
        "severities": ["critical"],
        "regenerates": 2,
        "prompt_versions": ["v13", "tax v14"],
        "metadata": {"tenant": "north", "beta": True, "seats": 3, "version": "4"},
    }
    rule = a_rule(project, queue, when=when)
    client, address = as_user(ben), url("settings_rule", rule.public_id)
    form = client.get(address).context["form"]
    typed = {field.html_name: field.value() for field in form if field.value() not in (None, "")}
    typed |= {
        "prompt_versions": "v13, tax v14",
        "metadata": form.fields["metadata"].prepare_value(when["metadata"]),
    }
    client.post(address, {**typed, "is_active": "on"})
    rule.refresh_from_db()
    assert rule.when == when


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kinds": ["applause"]}, "kinds"),
        ({"max_score": "2", "kinds": ["rating"]}, "max_score"),
        ({"regenerates": "0"}, "regenerates"),
        ({"metadata": "no equals sign"}, "metadata"),
        ({"sample_percent": "101"}, "sample_percent"),
        ({"kinds": ["report"], "queue": ""}, "queue"),
        ({}, None),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_what_was_typed_stays(
    change, field, as_user, ben, project, queue
):
    answer = as_user(ben).post(url("new_rule"), form_of(queue, **change))
    assert answer.status_code == 400
    form = answer.context["form"]
    assert form.errors[field] if field else form.non_field_errors()
    assert "Complaints in the north" in answer.content.decode()
    assert not RoutingRule.objects.exists()


def test_a_rule_cannot_send_into_another_projects_queue(
    as_user, ben, project, queue, other_project
):
    theirs = ReviewQueueFactory(project=other_project)
    answer = as_user(ben).post(url("new_rule"), form_of(theirs, kinds=["report"]))
    assert answer.context["form"].errors["queue"]
    rule = a_rule(other_project, theirs)
    assert as_user(ben).get(url("settings_rule", rule.public_id)).status_code == 404
    for name in ("switch_rule", "move_rule", "delete_rule", "backfill_rule"):
        assert as_user(ben).post(url(name, rule.public_id), {"days": 7}).status_code == 404
    assert RoutingRule.objects.get().is_active


def test_counting_says_what_a_rule_would_fit_and_saves_nothing(as_user, ben, project, queue):
    for kind in ("thumbs_down", "thumbs_down", "thumbs_up"):
        FeedbackEventFactory(interaction=InteractionFactory(project=project), kind=kind)
    rule = a_rule(project, queue, when={"kinds": ["report"]})
    answer = as_user(ben).post(
        url("settings_rule", rule.public_id), form_of(queue, kinds=["thumbs_down"], act="try")
    )
    assert answer.context["tried"] == (2, 3)
    assert "It fits 2 answers" in answer.content.decode()
    rule.refresh_from_db()
    assert (rule.when, rule.name) == ({"kinds": ["report"]}, "Thumbs down")
    assert not ReviewItem.objects.exists()


def test_an_escalating_rule_keeps_no_queue(as_user, ben, project, queue):
    as_user(ben).post(url("new_rule"), form_of(queue, action="escalate", severities=["critical"]))
    rule = RoutingRule.objects.get()
    assert (rule.action, rule.queue) == ("escalate", None)


def test_rules_change_places_and_stay_in_order(as_user, ben, project, queue):
    first, second, third = (a_rule(project, queue, name=name) for name in "abc")
    client = as_user(ben)

    def order():
        return [rule.name for rule in client.get(url("settings_rules")).context["rules"]]

    client.post(url("move_rule", third.public_id), {"to": "up"})
    assert order() == ["a", "c", "b"]
    client.post(url("move_rule", first.public_id), {"to": "down"})
    assert order() == ["c", "a", "b"]
    client.post(url("move_rule", third.public_id), {"to": "up"})
    client.post(url("move_rule", second.public_id), {"to": "down"})
    assert order() == ["c", "a", "b"]


def test_a_rule_is_switched_off_and_on(as_user, ben, project, queue):
    rule = a_rule(project, queue)
    for word, is_active in (("no", False), ("yes", True)):
        as_user(ben).post(url("switch_rule", rule.public_id), {"on": word})
        rule.refresh_from_db()
        assert rule.is_active is is_active


def test_looking_back_brings_what_came_in_before_once(
    as_user, ben, project, queue, django_capture_on_commit_callbacks
):
    interaction = InteractionFactory(project=project)
    FeedbackEventFactory(interaction=interaction)
    rule = a_rule(project, queue)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            as_user(ben).post(url("backfill_rule", rule.public_id), {"days": 28})
    assert ReviewItem.objects.get().interaction == interaction
    log = as_user(ben).get(url("settings_rule", rule.public_id)).context["log"]
    assert [match.interaction for match in log] == [interaction]


@pytest.mark.parametrize("days", ["", "0", "-7", "36500", "x"])
def test_looking_back_takes_only_the_days_offered(days, as_user, ben, project, queue):
    rule = a_rule(project, queue)
    answer = as_user(ben).post(url("backfill_rule", rule.public_id), {"days": days})
    assert answer.status_code == 404


def test_a_deleted_rule_leaves_the_items_that_it_brought(as_user, ben, project, queue):
    rule = a_rule(project, queue)
    item = ReviewItemFactory(queue=queue, routed_by=rule)
    RoutingMatch.objects.create(project=project, rule=rule, interaction=item.interaction)
    as_user(ben).post(url("delete_rule", rule.public_id))
    item.refresh_from_db()
    assert (item.routed_by, RoutingRule.objects.count()) == (None, 0)


def test_rules_cost_the_same_queries_with_one_and_with_three(as_user, ben, project, queue):
    def grow(number):
        for _ in range(number):
            rule = a_rule(project, queue, when={"kinds": ["report"], "models": [HOSTILE]})
            interaction = InteractionFactory(project=project)
            RoutingMatch.objects.create(project=project, rule=rule, interaction=interaction)

    assert_same_queries(as_user(ben), url("settings_rules"), grow)
    assert HOSTILE not in as_user(ben).get(url("settings_rules")).content.decode()


def test_a_rules_log_costs_the_same_queries_with_one_match_and_with_three(
    as_user, ben, project, queue
):
    rule = a_rule(project, queue)

    def grow(number):
        for interaction in InteractionFactory.create_batch(number, project=project):
            RoutingMatch.objects.create(project=project, rule=rule, interaction=interaction)

    assert_same_queries(as_user(ben), url("settings_rule", rule.public_id), grow)


# --- label schema ---------------------------------------------------------------------------------

CATEGORY = {
    "name": "Out of season",
    "meaning": "True, and for another time of the year.",
    "default_severity": "low",
    "reported_as": ["outdated"],
}


@pytest.fixture
def schema(project):
    install_defaults(project)
    return LabelSchema.objects.get(project=project)


def freeze(schema):
    LabelSchema.objects.filter(pk=schema.pk).update(is_frozen=True)
    schema.refresh_from_db()


def test_the_schema_shows_each_category_with_its_meaning_and_examples(as_user, ben, schema):
    text = as_user(ben).get(url("settings_schema")).content.decode()
    for category in schema.categories:
        assert category["name"] in text
    assert "It was true once and is not any more." in text


def test_a_change_to_a_schema_nobody_used_changes_it(as_user, ben, schema):
    as_user(ben).post(url("new_category"), {**CATEGORY, "seen": 1})
    now = LabelSchema.objects.get()
    assert (now.version, now.categories[-1]["key"]) == (1, "out_of_season")
    assert now.categories[-1]["reported_as"] == ["outdated"]


def test_a_change_to_a_frozen_schema_makes_the_next_version(as_user, ben, schema):
    freeze(schema)
    as_user(ben).post(url("new_category"), {**CATEGORY, "seen": 1})
    before, now = LabelSchema.objects.order_by("version")
    assert (before.categories, before.is_current) == (schema.categories, False)
    assert (now.version, now.is_current, now.is_frozen) == (2, True, False)
    assert now.category_keys == [*schema.category_keys, "out_of_season"]
    assert (now.root_causes, now.guidelines) == (schema.root_causes, schema.guidelines)


def test_a_renamed_category_keeps_its_key_and_its_place(as_user, ben, schema):
    as_user(ben).post(url("schema_category", "outdated"), {**CATEGORY, "name": "Stale", "seen": 1})
    now = LabelSchema.objects.get()
    assert now.category_keys == schema.category_keys
    assert now.category("outdated")["name"] == "Stale"


def test_a_retired_category_is_gone_and_its_key_is_never_given_again(as_user, ben, schema):
    freeze(schema)
    client = as_user(ben)
    client.post(url("retire_category", "outdated"), {"seen": 1})
    client.post(url("new_category"), {**CATEGORY, "name": "Outdated", "seen": 2})
    now = LabelSchema.objects.get(is_current=True)
    assert "outdated" not in now.category_keys
    assert now.category_keys[-1] == "outdated_2"


def test_the_last_category_stays(as_user, ben, schema):
    LabelSchema.objects.update(categories=schema.categories[:1])
    key = schema.category_keys[0]
    as_user(ben).post(url("retire_category", key), {"seen": 1})
    assert LabelSchema.objects.get().category_keys == [key]


def test_a_lead_who_looked_at_an_older_version_is_told_and_nothing_is_lost(as_user, ben, schema):
    freeze(schema)
    client = as_user(ben)
    client.post(url("schema_category", "outdated"), {**CATEGORY, "name": "Stale", "seen": 1})
    answer = client.post(
        url("schema_category", "outdated"), {**CATEGORY, "name": "Typed words", "seen": 1}
    )
    assert answer.status_code == 409
    assert "Typed words" in answer.content.decode()
    assert LabelSchema.objects.get(is_current=True).category("outdated")["name"] == "Stale"


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"meaning": ""}, {"default_severity": "awful"}, {"seen": "x"}]
)
def test_a_category_that_makes_no_sense_is_refused(change, as_user, ben, schema):
    answer = as_user(ben).post(url("new_category"), {**CATEGORY, "seen": 1, **change})
    assert answer.status_code == 400
    assert LabelSchema.objects.get().categories == schema.categories


def test_an_accepted_proposal_fills_the_form_and_is_closed(as_user, ben, ana, schema):
    proposal = CategoryProposal.objects.create(
        project=schema.project, schema=schema, proposed_by=ana, name=HOSTILE, meaning="Why"
    )
    client = as_user(ben)
    listed = client.get(url("settings_schema")).content.decode()
    assert "&lt;script&gt;" in listed and HOSTILE not in listed
    address = f"{url('new_category')}?proposal={proposal.pk}"
    assert client.get(address).context["form"].initial["name"] == HOSTILE
    client.post(address, {**CATEGORY, "seen": 1, "proposal": proposal.pk})
    proposal.refresh_from_db()
    assert proposal.state == "accepted"


def test_a_declined_proposal_is_listed_no_more(as_user, ben, ana, schema):
    proposal = CategoryProposal.objects.create(
        project=schema.project, schema=schema, proposed_by=ana, name="Odd"
    )
    as_user(ben).post(url("decline_proposal", proposal.pk))
    assert list(as_user(ben).get(url("settings_schema")).context["proposals"]) == []


def test_guidelines_are_changed_and_shown_as_harmless_markdown(as_user, ben, schema):
    as_user(ben).post(
        url("schema_guidelines"), {"guidelines": f"# Judge\n\n**well** {HOSTILE}", "seen": 1}
    )
    text = as_user(ben).get(url("settings_schema")).content.decode()
    assert "<strong>well</strong>" in text and HOSTILE not in text


def test_an_unknown_category_is_not_found(as_user, ben, schema):
    assert as_user(ben).get(url("schema_category", "nothing")).status_code == 404
