"""Gold, its approval, its versions and exports in the browser."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from annotation import exporting, gold
from annotation.approval import ready_for_gold
from annotation.models import (
    ExportMember,
    ExportRun,
    GoldExample,
    GoldRevision,
    GoldVersion,
    ReviewItem,
    Settlement,
)
from tests.factories import (
    InteractionFactory,
    LabelSchemaFactory,
    ReviewItemFactory,
    SettlementFactory,
)
from tests.pages import assert_same_queries

HOSTILE = "<script>alert(1)</script>"


def url(name, *args):
    return reverse(name, args=["tax-help", *args])


def settled(project, **fields):
    return SettlementFactory(interaction__project=project, **fields)


def approved(project, by, **fields):
    return gold.promote_to_gold(settlement=settled(project, **fields), by=by).example


def frozen(project, by, count=1):
    for _ in range(count):
        example = approved(project, by)
        GoldExample.objects.filter(pk=example.pk).update(split="train")
    return gold.freeze_gold_version(project=project, by=by)


# --- the table ------------------------------------------------------------------------------------


def test_the_table_shows_question_ideal_answer_split_labels_and_origin(as_user, dana, ben, project):
    LabelSchemaFactory(project=project)
    example = approved(project, ben)
    answer = as_user(dana).get(url("gold"))
    text = answer.content.decode()
    assert [row.pk for row in answer.context["list"]] == [example.pk]
    for words in ("Can I deduct my bicycle?", "You cannot deduct it;", "Factual error"):
        assert words in text
    assert example.interaction.external_id in text


def test_filters_keep_what_they_name(as_user, dana, ben, project):
    right = approved(project, ben, verdict="correct", chosen_answer=None, categories=[])
    wrong = approved(project, ben, categories=["outdated"])
    GoldExample.objects.filter(pk=wrong.pk).update(split="holdout", is_contaminated=True)
    GoldExample.objects.filter(pk=right.pk).update(split="train")
    client = as_user(dana)
    for query, kept in {
        "split=holdout": [wrong],
        "verdict=correct": [right],
        "category=outdated": [wrong],
        "contaminated=no": [right],
        "": [wrong, right],
    }.items():
        assert list(client.get(f"{url('gold')}?{query}").context["list"]) == kept, query
    refused = client.get(url("gold") + "?interaction__output=x")
    assert (refused.status_code, list(refused.context["list"])) == (400, [])


def test_the_list_of_the_contaminated_holds_the_retired_too(as_user, dana, ben, project):
    stays, went, clean, clean_and_gone = (approved(project, ben) for _ in range(4))
    GoldExample.objects.filter(pk__in=[stays.pk, went.pk]).update(
        split="holdout", is_contaminated=True
    )
    gone = [went.pk, clean_and_gone.pk]
    GoldExample.objects.filter(pk__in=gone).update(retired_at=timezone.now())
    client = as_user(dana)
    for query, kept in {
        "contaminated=yes": [went, stays],
        "contaminated=yes&retired=no": [stays],
        "contaminated=yes&retired=yes": [went],
        "contaminated=no": [clean],
    }.items():
        assert list(client.get(f"{url('gold')}?{query}").context["list"]) == kept, query


def test_gold_whose_case_was_judged_again_says_so_before_it_is_frozen(as_user, dana, ben, project):
    stands, opened, gone = (approved(project, ben) for _ in range(3))
    Settlement.objects.filter(gold_revisions__example__in=[opened, gone]).update(is_current=False)
    gold.retire_example(example=gone)
    client = as_user(dana)
    for query, kept in {"unsettled=yes": [opened], "unsettled=no": [stands]}.items():
        assert list(client.get(f"{url('gold')}?{query}").context["list"]) == kept, query
    tag, banner = '<span class="tag">judged again since</span>', "was judged or opened again since"
    assert client.get(url("gold")).content.decode().count(tag) == 1
    assert "since they were approved: 1<" in client.get(url("gold_versions")).content.decode()
    for example, is_told in ((stands, False), (opened, True), (gone, False)):
        page = client.get(url("gold_example", example.public_id)).content.decode()
        assert (banner in page) == is_told
    gold.freeze_gold_version(project=project, by=ben)
    as_of = client.get(url("gold_as_of", 1, opened.public_id))
    assert (as_of.status_code, banner in as_of.content.decode()) == (200, False)


def test_the_table_costs_the_same_queries_with_one_row_and_with_three(as_user, dana, ben, project):
    assert_same_queries(
        as_user(dana), url("gold"), lambda n: [approved(project, ben) for _ in range(n)]
    )


def test_an_example_shows_where_it_comes_from_and_where_it_went(as_user, dana, ben, project):
    version = frozen(project, ben)
    run = exporting.request_export(version=version, format="openai_sft", is_left_to_a_worker=False)
    exporting.make_export(export_id=run.pk)
    example = GoldExample.objects.get()
    text = as_user(dana).get(url("gold_example", example.public_id)).content.decode()
    assert "v1" in text and "openai_sft" in text and "Ben" in text
    assert reverse("interaction", args=["tax-help", example.interaction.public_id]) in text


def test_the_drawer_gets_the_example_without_the_frame(as_user, dana, ben, project):
    example = approved(project, ben)
    client, address = as_user(dana), url("gold_example", example.public_id)
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and "Ideal answer" in fragment
    assert "<html" in client.get(address).content.decode()


def test_an_erased_example_and_one_of_another_project_are_not_found(
    as_user, dana, ben, project, other_project
):
    gone, elsewhere = approved(project, ben), approved(other_project, ben)
    GoldExample.objects.filter(pk=gone.pk).update(erased_at=timezone.now())
    for example in (gone, elsewhere):
        assert as_user(dana).get(url("gold_example", example.public_id)).status_code == 404


def test_a_lead_retires_an_example_and_an_engineer_may_not(as_user, ben, dana, project):
    example = approved(project, ben)
    address = url("gold_retire", example.public_id)
    assert as_user(dana).post(address).status_code == 403
    as_user(ben).post(address)
    example.refresh_from_db()
    assert example.retired_at
    assert list(as_user(ben).get(url("gold")).context["list"]) == []
    assert list(as_user(ben).get(url("gold") + "?retired=yes").context["list"]) == [example]


def test_a_lead_brings_a_retired_example_back(as_user, ben, dana, project):
    example = approved(project, ben)
    gold.retire_example(example=example)
    assert list(ready_for_gold(project)) == []  # approving all that is shown revives nothing
    address = url("gold_bring_back", example.public_id)
    assert as_user(dana).post(address).status_code == 403
    assert address in as_user(ben).get(url("gold_example", example.public_id)).content.decode()
    as_user(ben).post(address)
    example.refresh_from_db()
    assert example.retired_at is None
    assert gold.freeze_gold_version(project=project).example_count == 1


def test_what_was_judged_otherwise_since_is_not_brought_back(as_user, ben, project):
    example = approved(project, ben)
    gold.retire_example(example=example)
    overturned = example.revisions.get().settlement
    Settlement.objects.filter(pk=overturned.pk).update(is_current=False)
    said = as_user(ben).post(url("gold_bring_back", example.public_id), follow=True)
    assert "Nothing of it holds any more." in said.content.decode()
    example.refresh_from_db()
    assert example.retired_at


def test_hostile_texts_stay_texts_in_gold(as_user, ben, project):
    interaction = InteractionFactory(
        project=project, messages=[{"role": "user", "content": HOSTILE}], output=HOSTILE
    )
    settlement = SettlementFactory(
        interaction=interaction, reason=HOSTILE, chosen_answer__text=f"no {HOSTILE}"
    )
    client = as_user(ben)
    pages = [client.get(url("gold_approve"))]
    revision = gold.promote_to_gold(settlement=settlement, by=ben)
    GoldExample.objects.update(split="train")
    gold.freeze_gold_version(project=project, description=HOSTILE, tags=[HOSTILE])
    for name, *args in (
        ("gold",),
        ("gold_example", revision.example.public_id),
        ("gold_versions",),
        ("exports",),
    ):
        pages.append(client.get(url(name, *args)))
    for page in pages:
        assert HOSTILE not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode(), page.request["PATH_INFO"]


# --- approval -------------------------------------------------------------------------------------


def test_approval_opens_the_newest_case_with_its_evidence(as_user, ben, project):
    settled(project)
    newest = settled(project, reason="Both say so.")
    answer = as_user(ben).get(url("gold_approve"))
    assert answer.context["case"] == newest
    text = answer.content.decode()
    assert "Both say so." in text and "<ins>" in text and 'data-key="a"' in text


def test_a_lead_approves_the_open_case_and_comes_to_the_next(as_user, ben, project):
    below, above = settled(project), settled(project)
    answer = as_user(ben).post(
        url("gold_approve"), {"case": above.public_id, "next": below.public_id}
    )
    assert answer.url == f"{url('gold_approve')}?case={below.public_id}"
    assert list(GoldRevision.objects.values_list("settlement", flat=True)) == [above.pk]
    assert as_user(ben).get(answer.url).context["case"] == below


def test_what_is_missing_is_said_and_cannot_be_approved(as_user, ben, project):
    lacking = settled(project, chosen_answer=None)
    client = as_user(ben)
    assert client.get(url("gold_approve")).context["case"] is None
    answer = client.get(url("gold_approve") + "?show=missing")
    assert answer.context["case"] == lacking
    assert "needs a correction" in answer.content.decode()
    assert 'data-key="a"' not in answer.content.decode()
    client.post(url("gold_approve"), {"case": lacking.public_id})
    assert not GoldRevision.objects.exists()


def test_approving_all_shown_lists_the_exceptions(as_user, ben, project):
    good, lacking = settled(project), settled(project, chosen_answer=None)
    answer = as_user(ben).post(
        url("gold_approve_all"), {"case": [good.public_id, lacking.public_id]}
    )
    ((exception, question, reasons),) = answer.context["exceptions"]
    assert (exception, question) == (lacking, "Can I deduct my bicycle?")
    assert "needs a correction" in reasons[0]
    assert list(GoldRevision.objects.values_list("settlement", flat=True)) == [good.pk]


def test_approving_all_leaves_what_is_disputed_again_or_holds_personal_data(as_user, ben, project):
    good, disputed = settled(project), settled(project)
    personal = settled(project, chosen_answer__text="Write to trillian@example.org about it.")
    ReviewItemFactory(
        interaction=disputed.interaction, queue__project=project, state=ReviewItem.State.DISPUTED
    )
    cases = [each.public_id for each in (good, disputed, personal)]
    answer = as_user(ben).post(url("gold_approve_all"), {"case": cases})
    said = {settlement: reasons for settlement, _, reasons in answer.context["exceptions"]}
    assert list(said) == [disputed, personal]
    assert said[disputed][0].startswith("Its experts disagree in another queue")
    assert said[personal][0].startswith("Personal data is left: ")
    for reasons in said.values():
        assert escape(reasons[0]) in answer.content.decode()
    assert list(GoldRevision.objects.values_list("settlement", flat=True)) == [good.pk]


def test_approving_all_shown_approves_nothing_that_was_not_shown(as_user, ben, project):
    shown, came_later = settled(project), settled(project)
    answer = as_user(ben).post(url("gold_approve_all"), {"case": [shown.public_id]})
    assert answer.url == url("gold_approve")
    assert not GoldRevision.objects.filter(settlement=came_later).exists()


def test_a_case_of_another_project_cannot_be_approved(as_user, ben, project, other_project):
    theirs = settled(other_project)
    client = as_user(ben)
    assert client.post(url("gold_approve"), {"case": theirs.public_id}).status_code == 404
    client.post(url("gold_approve_all"), {"case": [theirs.public_id]})
    assert not GoldRevision.objects.exists()


@pytest.mark.parametrize("case", ["", "no-uuid", "' OR 1=1"])
def test_a_case_that_is_no_id_is_not_found(case, as_user, ben, project):
    assert as_user(ben).post(url("gold_approve"), {"case": case}).status_code == 404


def test_what_is_gold_already_or_can_still_be_taken_back_does_not_wait(as_user, ben, project):
    approved(project, ben)
    settled(project, takes_effect_at=timezone.now() + timezone.timedelta(minutes=1))
    waits = settled(project)
    assert list(as_user(ben).get(url("gold_approve")).context["list"]) == [waits]


def test_approval_costs_the_same_queries_with_one_case_and_with_three(as_user, ben, project):
    assert_same_queries(
        as_user(ben), url("gold_approve"), lambda n: [settled(project) for _ in range(n)]
    )


# --- versions -------------------------------------------------------------------------------------


def test_freezing_makes_the_next_version_with_its_description_and_tags(as_user, dana, ben, project):
    approved(project, ben)
    as_user(dana).post(url("gold_versions"), {"description": "First.", "tags": "a, b,a"})
    version = GoldVersion.objects.get()
    assert (version.number, version.description, version.tags) == (1, "First.", ["a", "b"])
    assert version.frozen_by == dana
    page = as_user(dana).get(url("gold_versions"))
    assert version.digest in page.content.decode()
    assert sum(page.context["list"].rows[0].splits.values()) == 1


def test_nothing_to_freeze_is_said_and_what_was_typed_stays(as_user, dana, project):
    answer = as_user(dana).post(url("gold_versions"), {"description": "Typed words"})
    assert answer.status_code == 409
    assert "No example is approved yet" in answer.content.decode()
    assert "Typed words" in answer.content.decode()


def test_versions_cost_the_same_queries_with_one_and_with_three(as_user, dana, ben, project):
    assert_same_queries(
        as_user(dana), url("gold_versions"), lambda n: [frozen(project, ben) for _ in range(n)]
    )


def test_an_example_names_the_exports_that_it_went_into_by_their_digest(
    as_user, dana, ben, project
):
    version = frozen(project, ben)
    run = ExportRun.objects.create(
        project=project, version=version, format="csv", state="done", digest="0123456789abcdef" * 4
    )
    revision = GoldRevision.objects.get()
    ExportMember.objects.create(project=project, export=run, revision=revision)
    text = as_user(dana).get(url("gold_example", revision.example.public_id)).content.decode()
    assert "<code>0123456789ab</code>" in text and url("export", run.public_id) in text


# --- exports --------------------------------------------------------------------------------------


def test_an_engineer_exports_and_takes_the_files_away(
    as_user, dana, ben, project, django_capture_on_commit_callbacks
):
    frozen(project, ben, count=2)
    client = as_user(dana)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url("exports") + "?format=openai_sft", {"version": 1, "splits": ["train"]})
    run = ExportRun.objects.get()
    assert (run.state, run.row_count, run.requested_by) == ("done", 2, dana)
    rows = b"".join(client.get(url("export_download", run.public_id, "rows")).streaming_content)
    assert [set(json.loads(line)) for line in rows.decode().split("\n") if line] == [
        {"messages"},
        {"messages"},
    ]
    manifest = client.get(url("export_manifest", run.public_id))
    assert json.loads(manifest.content)["files"][0]["sha256"] == run.digest
    assert "attachment" in manifest["Content-Disposition"]
    provenance = client.get(url("export_download", run.public_id, "provenance"))
    assert len(b"".join(provenance.streaming_content).splitlines()) == 2


def test_the_holdout_is_greyed_in_training_formats_and_refused_all_the_same(
    as_user, dana, ben, project
):
    frozen(project, ben)
    client = as_user(dana)
    greyed = {
        name: [s["value"] for s in client.get(f"{url('exports')}?format={name}").context["splits"]
               if s["is_disabled"]]
        for name in ("openai_sft", "trl_dpo", "eval")
    }  # fmt: skip
    assert greyed == {"openai_sft": ["holdout"], "trl_dpo": ["holdout"], "eval": []}
    answer = client.post(
        url("exports") + "?format=openai_sft", {"version": 1, "splits": ["train", "holdout"]}
    )
    assert answer.status_code == 400
    assert "may not leave in a training export" in answer.content.decode()
    assert not ExportRun.objects.exists()


def test_the_form_shows_a_true_row_of_the_chosen_format(as_user, dana, ben, project):
    frozen(project, ben)
    sample = as_user(dana).get(url("exports") + "?format=trl_dpo").context["sample"]
    assert set(json.loads(sample)) == {"prompt", "chosen", "rejected"}


def test_the_sample_row_never_comes_from_the_holdout(as_user, dana, ben, project):
    frozen(project, ben)
    GoldExample.objects.update(split="holdout")
    assert as_user(dana).get(url("exports") + "?format=openai_sft").context["sample"] == ""


@pytest.mark.parametrize("form", [{"version": 9, "splits": ["train"]}, {"version": 1}])
def test_an_export_form_that_makes_no_sense_is_refused(form, as_user, dana, ben, project):
    frozen(project, ben)
    answer = as_user(dana).post(url("exports"), form)
    assert answer.status_code == 400
    assert answer.context["form"].errors
    assert not ExportRun.objects.exists()


def an_export(project, ben, **fields):
    run = exporting.request_export(
        version=frozen(project, ben), format="eval", is_left_to_a_worker=False
    )
    ExportRun.objects.filter(pk=run.pk).update(**fields)
    run.refresh_from_db()
    return run


def test_a_running_export_asks_for_itself_and_a_finished_one_no_more(as_user, dana, ben, project):
    run = an_export(project, ben, state="running", progress_count=31, total_count=40)
    client, address = as_user(dana), url("export", run.public_id)
    row = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert f'hx-get="{address}"' in row and "31 of 40 rows" in row and "<html" not in row
    ExportRun.objects.filter(pk=run.pk).update(state="failed", failure="OSError")
    row = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in row and "OSError" in row and "Retry" in row
    assert client.get(address).url == url("exports")


def test_a_waiting_export_is_cancelled(as_user, dana, ben, project):
    run = an_export(project, ben)
    as_user(dana).post(url("export_cancel", run.public_id))
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_a_failed_export_is_asked_for_again_as_it_was(as_user, dana, ben, project):
    run = an_export(project, ben, state="failed", filter={"splits": ["train"]})
    as_user(dana).post(url("export_again", run.public_id))
    again = ExportRun.objects.exclude(pk=run.pk).get()
    assert (again.version, again.format, again.filter) == (run.version, run.format, run.filter)


def test_an_unfinished_export_cannot_be_downloaded(as_user, dana, ben, project):
    run = an_export(project, ben)
    client = as_user(dana)
    assert client.get(url("export_download", run.public_id, "rows")).status_code == 404
    assert client.get(url("export_manifest", run.public_id)).status_code == 404


def test_no_file_but_the_two_can_be_named(as_user, dana, ben, project):
    run = an_export(project, ben)
    exporting.make_export(export_id=run.pk)
    assert as_user(dana).get(url("export_download", run.public_id, "rows")).status_code == 200
    for part in ("manifest.json", "..", "rows.jsonl"):
        assert as_user(dana).get(url("exports") + f"{run.public_id}/{part}/").status_code == 404


def test_an_export_of_another_project_is_not_found(as_user, dana, ben, project, other_project):
    run = an_export(other_project, ben)
    client = as_user(dana)
    for name in ("export", "export_manifest"):
        address = url(name, run.public_id)
        assert client.get(address, headers={"HX-Request": "true"}).status_code == 404
    assert client.post(url("export_cancel", run.public_id)).status_code == 404


def test_exports_cost_the_same_queries_with_one_and_with_three(as_user, dana, ben, project):
    version = frozen(project, ben)

    def grow(number):
        for _ in range(number):
            exporting.request_export(version=version, format="eval", by=ben)

    assert_same_queries(as_user(dana), url("exports"), grow)


def test_without_a_version_the_page_says_what_to_do_first(as_user, dana, project):
    text = as_user(dana).get(url("exports")).content.decode()
    assert "Nothing to export yet" in text and url("gold_versions") in text


def test_approval_names_the_personal_data_that_is_left_and_masks_it(as_user, ben, project):
    settlement = SettlementFactory(
        interaction__project=project, chosen_answer__text="Write to ada@example.org instead."
    )
    page = as_user(ben)
    url = f"/p/{project.slug}/gold/approve/"
    shown = page.get(url).content.decode()
    assert "<code>[EMAIL]</code> 1 ×" in shown
    assert "Mask it and approve" in shown
    page.post(url, {"case": settlement.public_id, "masks": "1"})
    assert GoldRevision.objects.get().ideal_answer == "Write to [EMAIL] instead."
