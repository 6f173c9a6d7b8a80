"""The demo's material: enough of everything, in the shapes of the API, and true to its own marks."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from feedbackhub.demo import content, devtool, pharmacy, tax_help
from feedbackhub.demo.prompts import PROMPTS
from feedbackhub.demo.writing import unwrap, write
from feedbackhub.redaction import redact
from feedbackhub.similarity.minhash import are_near_duplicates, jaccard, shingles

NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
FIELDS = [tax_help, pharmacy, devtool]

CATEGORIES = {
    "factual_error",
    "fabricated",
    "outdated",
    "contradicts_source",
    "source_irrelevant",
    "incomplete",
    "misunderstood",
    "off_topic",
    "format",
    "too_long",
    "tone",
    "refused_wrongly",
    "biased",
    "harmful",
    "privacy",
    "slow",
}
ROOT_CAUSES = {
    "prompt_ambiguous",
    "constraint_missing",
    "wrong_assumption",
    "retrieval_missed",
    "retrieval_misled",
    "document_wrong",
    "model_limit",
    "product",
}
SPAN_LABELS = {
    "wrong",
    "unsupported",
    "outdated",
    "missing_source",
    "misleading",
    "harmful",
    "privacy",
    "good",
}
VERDICTS = {"correct", "partly", "wrong", "harmful"}
SEVERITIES = {"none", "low", "medium", "high", "critical"}
KINDS = {
    "thumbs_up",
    "thumbs_down",
    "rating",
    "comment",
    "report",
    "approve",
    "edit",
    "override",
    "regenerate",
    "copy",
    "abandon",
    "follow_up",
    "outcome",
}
REPORTED = {
    "wrong",
    "unhelpful",
    "off_topic",
    "outdated",
    "too_long",
    "wrong_tone",
    "harmful",
    "biased",
    "privacy",
    "other",
}
INTERACTION_FIELDS = {
    "id",
    "session_id",
    "user",
    "occurred_at",
    "environment",
    "feature",
    "model",
    "model_version",
    "model_parameters",
    "prompt",
    "messages",
    "input",
    "system_prompt",
    "output",
    "retrieval",
    "usage",
    "latency_ms",
    "fallback",
    "confidence",
    "tags",
    "metadata",
    "trace_url",
}
FEEDBACK_FIELDS = {
    "id",
    "interaction_id",
    "kind",
    "category",
    "severity",
    "score",
    "scale",
    "comment",
    "edited_output",
    "reporter",
    "occurred_at",
    "metadata",
}


@pytest.fixture(scope="module")
def interactions():
    return content.interactions(NOW)


@pytest.fixture(scope="module")
def by_id(interactions):
    return {interaction["id"]: interaction for interaction in interactions}


@pytest.fixture(scope="module")
def feedback():
    return content.feedback(NOW)


def said_to_the_model(interaction):
    """What decides whether two interactions are twins: everything but the instructions."""
    messages = interaction.get("messages") or [{"role": "user", "content": interaction["input"]}]
    return "\n".join(m["content"] for m in messages if m["role"] != "system")


def field_text(interaction, field):
    if field == "output":
        return interaction["output"]
    kind, place = field.split(".")
    assert kind == "documents"
    return interaction["retrieval"]["documents"][int(place)]["text"]


def moment(stamp):
    return datetime.fromisoformat(stamp)


# --- the notation the material is written in -----------------------------------------------------


def test_unwrap_joins_prose_and_keeps_lists_tables_and_code():
    text = unwrap(
        """
        One line
        and the same line.

        - a point
          that goes on
        - another

        | a | b |
        |---|---|

        ```sh
        git reset \\
          --soft
        ```
        """
    )
    assert text == (
        "One line and the same line.\n\n- a point that goes on\n- another\n\n| a | b |\n|---|---|\n\n"
        "```sh\ngit reset \\\n  --soft\n```"
    )


def test_write_marks_what_is_wrong_and_writes_the_correction(rng):
    written = write(
        "You may claim ⟦€5⇒€6⟧ a day⟦⇒, at most {days} days⟧.", {"days": 210}, rng, "old"
    )
    assert written.text == "You may claim €5 a day."
    assert [written.text[start:end] for start, end, _ in written.spans] == ["€5"]
    assert written.spans[0][2] == "old"
    assert written.corrected == "You may claim €6 a day, at most 210 days."


def test_write_leaves_no_gap_where_words_are_removed(rng):
    written = write("⟦tone§As everybody knows,⇒⟧ ⟦it⇒It⟧ is due ⟦(of course)⇒⟧ in July.", {}, rng)
    assert written.text == "As everybody knows, it is due (of course) in July."
    assert written.corrected == "It is due in July."
    assert written.spans[0][2] == "tone"


def test_write_begins_sentences_with_a_capital_and_leaves_code_alone(rng):
    written = write(
        "{drug} helps. {drug} is cheap, so {drug}. Write `{drug}`.", {"drug": "salt"}, rng
    )
    assert written.text == "Salt helps. Salt is cheap, so salt. Write `salt`."


@pytest.fixture
def rng():
    from random import Random

    return Random(1)


# --- the same every time -------------------------------------------------------------------------


def test_content_is_the_same_bytes_in_another_process_and_hash_seed(interactions, feedback):
    program = (
        "import json, sys; from datetime import datetime; from feedbackhub.demo import content as c;"
        "now = datetime.fromisoformat(sys.argv[1]);"
        "print(json.dumps([c.interactions(now), c.feedback(now), list(map(str, c.judgements()))]))"
    )
    for seed in ("1", "2"):
        output = subprocess.run(
            [sys.executable, "-c", program, NOW.isoformat()],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        ours = [interactions, feedback, [str(judgement) for judgement in content.judgements()]]
        assert output.strip() == json.dumps(ours)


def test_another_now_moves_times_only(interactions, feedback):
    later = NOW + timedelta(days=17, hours=5)

    def timeless(rows):
        return sorted(
            json.dumps({k: v for k, v in row.items() if k != "occurred_at"}) for row in rows
        )

    assert timeless(content.interactions(later)) == timeless(interactions)
    assert timeless(content.feedback(later)) == timeless(feedback)


def test_callers_cannot_change_the_content(interactions):
    content.interactions(NOW)[0]["output"] = "changed"
    content.interactions(NOW)[0]["prompt"]["name"] = "changed"
    assert content.interactions(NOW) == interactions


# --- interactions --------------------------------------------------------------------------------


def test_interactions_are_about_four_hundred_in_three_fields(interactions):
    assert 380 <= len(interactions) <= 430
    features = Counter(interaction["feature"] for interaction in interactions)
    assert set(features) == {"tax_help", "pharmacy", "devtool"}
    assert min(features.values()) >= 110


def test_interactions_have_the_fields_of_the_api(interactions):
    for interaction in interactions:
        assert set(interaction) <= INTERACTION_FIELDS
        assert ("input" in interaction) != ("messages" in interaction)
        assert interaction["output"].strip() == interaction["output"] != ""
        assert set(interaction["user"]) == {"id", "role", "region"}
        assert 0 <= interaction.get("confidence", 0) <= 1
        assert json.loads(json.dumps(interaction)) == interaction


def test_interaction_ids_are_unique_and_some_hold_slashes_and_blanks(by_id, interactions):
    assert len(by_id) == len(interactions)
    assert all("2026" in key or key.startswith("repo/") for key in by_id)
    assert sum("/" in key for key in by_id) >= 20
    assert sum(" " in key for key in by_id) >= 10
    assert any("%" in key and "?" in key for key in by_id)


@pytest.mark.parametrize("hour", [0, 3, 14, 23])
def test_interactions_lie_within_sixty_days_before_now(hour):
    now = NOW.replace(hour=hour)
    times = [moment(row["occurred_at"]) for row in content.interactions(now)]
    assert times == sorted(times)
    assert times[-1] < now
    assert now - times[0] < timedelta(days=64)
    assert now - times[0] > timedelta(days=57)
    assert len({time.date() for time in times}) > 50


def test_developers_rarely_ask_at_weekends_and_pharmacies_are_asked_at_night(interactions):
    times = {
        module.FEATURE: [
            moment(row["occurred_at"]) for row in interactions if row["feature"] == module.FEATURE
        ]
        for module in FIELDS
    }
    weekends = sum(time.weekday() >= 5 for time in times["devtool"])
    assert weekends < len(times["devtool"]) * 0.1
    assert sum(time.hour < 5 for time in times["pharmacy"]) >= 5


def test_each_field_has_many_questions_and_every_kind_of_flaw():
    for module in FIELDS:
        assert len(module.CASES) >= 25
        kinds = {flaw.kind for case in module.CASES for flaw in case.flaws}
        assert kinds == CATEGORIES, module.FEATURE


def test_all_kinds_of_flaw_are_seen(interactions):
    seen = {kind for judgement in content.judgements() for kind in judgement.categories}
    assert seen == CATEGORIES


def test_questions_differ_but_for_a_minority_of_twins(interactions):
    marks = [shingles(said_to_the_model(interaction)) for interaction in interactions]
    twins = {
        place
        for one in range(len(marks))
        for other in range(one)
        if jaccard(marks[one], marks[other]) >= 0.6
        for place in (one, other)
    }
    # each twin has an original, so 8 % of twins are 16 % of all
    assert 0.12 <= len(twins) / len(interactions) <= 0.20
    assert are_near_duplicates("How do I undo my last commit", "how do I undo my last comimt??")


def test_some_conversations_have_several_turns_and_some_go_on_in_a_session(interactions, feedback):
    turns = [
        sum(message["role"] == "user" for message in interaction.get("messages", []))
        for interaction in interactions
    ]
    assert sum(count >= 2 for count in turns) >= 15
    sessions = Counter(interaction["session_id"] for interaction in interactions)
    assert sum(count > 1 for count in sessions.values()) >= 10
    by_id = {interaction["id"]: interaction for interaction in interactions}
    for event in feedback:
        following = event.get("metadata", {}).get("next_interaction_id")
        if following:
            here, there = by_id[event["interaction_id"]], by_id[following]
            assert here["session_id"] == there["session_id"]
            assert here["occurred_at"] < there["occurred_at"]
            turns = [m for m in there["messages"] if m["role"] != "tool"]
            assert turns[-2] == {"role": "assistant", "content": here["output"]}


def test_prompt_versions_improve_but_for_one_that_regressed(interactions):
    rows = content._corpus().rows
    bad = Counter((row.prompt.name, row.prompt.version) for row in rows if row.is_bad)
    all_ = Counter((row.prompt.name, row.prompt.version) for row in rows)
    rate = {key: bad[key] / all_[key] for key in all_}
    assert {key[0] for key in rate} == {"tax-assistant", "pharmacy-assistant", "dev-helper"}
    tax = [rate["tax-assistant", version] for version in ("v11", "v12", "v13", "v14")]
    assert tax[0] > tax[1] < tax[2] > tax[3]
    assert tax[3] < tax[1]
    for name, versions in {
        "pharmacy-assistant": ("v3", "v4", "v5"),
        "dev-helper": ("v7", "v8", "v9"),
    }.items():
        falling = [rate[name, version] for version in versions]
        assert falling == sorted(falling, reverse=True)


def test_prompt_versions_have_text_rationale_and_a_date_before_their_first_use(interactions):
    versions = content.prompt_versions(NOW)
    assert [(v["name"], v["version"]) for v in versions] == [(p.name, p.version) for p in PROMPTS]
    for version in versions:
        assert len(version["text"]) > 60
        assert len(version["rationale"]) > 40
        used = [
            row["occurred_at"]
            for row in interactions
            if (row["prompt"]["name"], row["prompt"]["version"])
            == (version["name"], version["version"])
        ]
        assert len(used) >= 20
        assert version["deployed_at"] < min(used)
    texts = {(v["name"], v["version"]): v["text"] for v in versions}
    for row in interactions:
        assert row["prompt"]["text"] == texts[row["prompt"]["name"], row["prompt"]["version"]]


def test_two_documents_mislead(interactions):
    documents = Counter(
        document["id"]
        for interaction in interactions
        for document in interaction.get("retrieval", {}).get("documents", [])
    )
    assert documents["guide-2019"] >= 12
    assert documents["family-blog"] >= 6
    misled = [
        judgement
        for judgement in content.judgements()
        if judgement.root_cause == "retrieval_misled"
    ]
    marked = Counter()
    for judgement in misled:
        for span in judgement.spans:
            if span.field.startswith("documents."):
                interaction = next(i for i in interactions if i["id"] == judgement.interaction_id)
                place = int(span.field.split(".")[1])
                marked[interaction["retrieval"]["documents"][place]["id"]] += 1
    assert set(marked) == {"guide-2019", "family-blog"}


def test_documents_are_on_reserved_domains_and_their_scores_fall(interactions):
    for interaction in interactions:
        documents = interaction.get("retrieval", {}).get("documents", [])
        for document in documents:
            assert re.match(r"https://[a-z-]+\.[a-z-]+\.example/", document["url"])
            assert document["text"]
        scores = [document["score"] for document in documents]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score < 1 for score in scores)


def test_texts_hold_emoji_right_to_left_text_and_other_languages(interactions, feedback):
    questions = "\n".join(said_to_the_model(interaction) for interaction in interactions)
    answers = "\n".join(interaction["output"] for interaction in interactions)
    comments = "\n".join(event.get("comment", "") for event in feedback)
    for texts in (questions, answers, comments):
        directions = Counter(unicodedata.bidirectional(character) for character in texts)
        assert directions["R"] > 20  # Hebrew
        assert directions["AL"] > 20  # Arabic
    for texts in (questions, comments):
        assert len(re.findall("[\U0001f300-\U0001faff]", texts)) >= 15
    assert "‍" in questions  # a joined emoji: one sign, several code points
    assert "Nebenkosten" in questions
    assert "J'habite" in questions


def test_devtool_answers_hold_code_and_tables(interactions):
    answers = [row["output"] for row in interactions if row["feature"] == "devtool"]
    assert sum("```" in answer for answer in answers) >= 50
    assert sum("|---|" in answer for answer in answers) >= 6
    assert all(answer.count("```") % 2 == 0 for answer in answers)


def test_nothing_of_the_notation_is_left(interactions, feedback):
    texts = [json.dumps(row, ensure_ascii=False) for row in interactions + feedback]
    texts += [f"{j.correction} {j.note}" for j in content.judgements()]
    for text in texts:
        assert not re.search("[⟦⟧⇒‹›]", text)
    for row in interactions:
        if row["feature"] != "devtool":
            assert not re.search(r"\{[a-z_]+\}", said_to_the_model(row) + row["output"])
    for judgement in content.judgements():
        assert not re.search(r"\{[a-z_]+\}", judgement.note)


# --- feedback ------------------------------------------------------------------------------------


def test_feedback_has_the_fields_of_the_api(feedback, by_id):
    assert len({event["id"] for event in feedback}) == len(feedback)
    for event in feedback:
        assert set(event) <= FEEDBACK_FIELDS
        assert event["interaction_id"] in by_id
        assert event["kind"] in KINDS
        assert event.get("category", "other") in REPORTED
        assert event.get("severity", "none") in SEVERITIES
        assert set(event["reporter"]) <= {"ref", "email", "locale", "consent"}
        assert event["reporter"]["ref"] == by_id[event["interaction_id"]]["user"]["id"]
        low, high = event.get("scale", (0, 1))
        assert low <= event.get("score", low) <= high
        if event["kind"] == "rating":
            assert "score" in event
        if event["kind"] in ("edit", "override"):
            assert event["edited_output"] != by_id[event["interaction_id"]]["output"]
        if event["kind"] in ("comment", "follow_up"):
            assert event["comment"].strip()
        if event["kind"] == "outcome":
            assert event["metadata"]["outcome"] in ("succeeded", "failed")


def test_feedback_is_of_every_kind_and_a_third_of_the_answers_have_none(feedback, interactions):
    assert {event["kind"] for event in feedback} == KINDS
    quiet = 1 - len({event["interaction_id"] for event in feedback}) / len(interactions)
    assert 0.30 <= quiet <= 0.40
    again = Counter(e["interaction_id"] for e in feedback if e["kind"] == "regenerate")
    assert sum(count >= 2 for count in again.values()) >= 5


@pytest.mark.parametrize("hour", [0, 14])
def test_feedback_comes_after_its_interaction_and_before_now(hour):
    now = NOW.replace(hour=hour)
    asked = {row["id"]: moment(row["occurred_at"]) for row in content.interactions(now)}
    for event in content.feedback(now):
        assert asked[event["interaction_id"]] <= moment(event["occurred_at"]) <= now


def test_about_a_quarter_of_the_reporters_can_be_told(feedback):
    reporters = {event["reporter"]["ref"]: event["reporter"] for event in feedback}
    told = [r for r in reporters.values() if r.get("email") and r["consent"]]
    assert 0.18 <= len(told) / len(reporters) <= 0.32
    assert any(r.get("email") and not r["consent"] for r in reporters.values())
    assert all(r["email"].endswith("@example.org") for r in reporters.values() if "email" in r)
    assert len({r["email"] for r in reporters.values() if "email" in r}) == sum(
        "email" in r for r in reporters.values()
    )


def test_a_dozen_answers_are_harmful_and_claimed_to_be(feedback):
    harmful = {j.interaction_id for j in content.judgements() if j.verdict == "harmful"}
    assert 12 <= len(harmful) <= 40
    claimed = {
        event["interaction_id"]
        for event in feedback
        if event.get("severity") == "critical" and event.get("category") in ("harmful", "privacy")
    }
    assert len(claimed) >= 10
    assert {e.get("category") for e in feedback if e["kind"] == "report"} >= {"harmful", "privacy"}


def test_some_texts_hold_what_redaction_must_find(interactions, feedback):
    found = Counter()
    for row in interactions:
        found.update(redact(said_to_the_model(row)).counts)
    for event in feedback:
        found.update(redact(event.get("comment", "")).counts)
    assert found.keys() >= {"EMAIL", "CARD", "PHONE"}
    assert sum(found.values()) >= 12


# --- judgements ----------------------------------------------------------------------------------


def test_judgements_use_known_words_only(by_id):
    people = {person.key: person for person in content.people()}
    for judgement in content.judgements():
        interaction = by_id[judgement.interaction_id]
        assert interaction["feature"] in people[judgement.expert].fields
        assert judgement.verdict in VERDICTS
        assert judgement.severity in SEVERITIES
        assert set(judgement.categories) <= CATEGORIES
        assert len(set(judgement.categories)) == len(judgement.categories)
        assert judgement.root_cause in ROOT_CAUSES | {""}
        assert {span.label for span in judgement.spans} <= SPAN_LABELS
        assert 10 <= judgement.seconds_spent <= 1200
        assert judgement.hours_after > 0
        assert moment(interaction["occurred_at"]) + timedelta(hours=judgement.hours_after) < NOW
        assert (judgement.verdict == "correct") or judgement.categories


def test_judgements_cover_140_interactions_thirty_of_them_by_several_experts():
    said = {}
    for judgement in content.judgements():
        said.setdefault(judgement.interaction_id, []).append(judgement)
    assert 135 <= len(said) <= 145
    several = [group for group in said.values() if len(group) > 1]
    assert 28 <= len(several) <= 32
    assert {len(group) for group in several} == {2, 3}
    for group in several:
        assert len({judgement.expert for judgement in group}) == len(group)
    disputed = [group for group in several if len({j.verdict for j in group}) > 1]
    assert len(disputed) == len(content.disputed()) == 8
    assert sum(group[0].verdict == "correct" for group in said.values()) >= 30


def test_every_span_lies_in_its_text_and_survives_redaction(by_id):
    count = 0
    for judgement in content.judgements():
        for span in judgement.spans:
            text = field_text(by_id[judgement.interaction_id], span.field)
            quote = text[span.start : span.end]
            assert 0 <= span.start < span.end <= len(text)
            assert quote == quote.strip() != ""
            redacted = redact(text)
            assert redacted.text[redacted.remap(span.start) : redacted.remap(span.end)] == quote
            assert redacted.remap(span.start) == span.start
            count += 1
    assert count > 120


def test_spans_quote_the_words_marked_in_the_material():
    for row in content._corpus().rows:
        if row.flaw is None or not row.flaw.text:
            continue
        marked = re.findall(r"⟦(?:[a-z_]+§)?([^⟦⟧⇒]*)", unwrap(row.flaw.text))
        assert len(row.answer.spans) == sum(bool(quote.strip()) for quote in marked)


def test_corrections_change_the_answer_and_hold_nothing_private(by_id):
    corrected = [judgement for judgement in content.judgements() if judgement.correction]
    assert len(corrected) >= 90
    for judgement in corrected:
        assert judgement.correction.strip() == judgement.correction
        assert judgement.correction != by_id[judgement.interaction_id]["output"]
        assert redact(judgement.correction).counts == {}
    for judgement in content.judgements():
        if judgement.verdict == "correct":
            assert judgement.correction == ""


def test_every_flawed_answer_differs_from_its_correction():
    rows = [row for row in content._corpus().rows if row.is_bad]
    assert len(rows) > 100
    for row in rows:
        assert row.correction
        assert row.correction != row.answer.text
        assert row.flaw.verdict in VERDICTS
        assert row.flaw.severity in SEVERITIES
        assert row.flaw.root_cause in ROOT_CAUSES


def test_every_source_quote_is_in_a_document_that_was_retrieved():
    for module in FIELDS:
        for case in module.CASES:
            for key in case.docs.split():
                assert key in module.DOCUMENTS
            for flaw in case.flaws:
                keys = (case.docs if flaw.docs is None else flaw.docs).split()
                texts = [module.DOCUMENTS[key].text for key in keys]
                assert not flaw.source_quote or any(flaw.source_quote in text for text in texts)


def test_decisions_settle_half_of_the_disputes():
    disputed = content.disputed()
    decisions = content.decisions()
    assert len(decisions) == len(disputed) // 2
    people = {person.key: person for person in content.people()}
    for decision in decisions:
        assert decision.interaction_id in disputed
        said = [j for j in content.judgements() if j.interaction_id == decision.interaction_id]
        assert decision.verdict in {judgement.verdict for judgement in said}
        assert decision.lead not in {judgement.expert for judgement in said}
        assert "lead" in people[decision.lead].roles
        assert decision.correction
        assert decision.reason


def test_enough_complaints_wait_to_be_judged():
    judged = {judgement.interaction_id for judgement in content.judgements()}
    flagged = {row.id for row in content._corpus().rows if content.is_flagged(row)}
    assert len(flagged - judged) >= 20
    assert set(content.sampled()) == judged - flagged
    assert len(content.sampled()) >= 20


# --- people and problems -------------------------------------------------------------------------


def test_people_are_the_six_of_the_house():
    people = {person.key: person for person in content.people()}
    assert {key: person.roles for key, person in people.items()} == {
        "ana": ("expert",),
        "chidi": ("expert",),
        "mira": ("expert",),
        "ben": ("lead",),
        "dana": ("engineer",),
        "olu": ("owner",),
    }
    assert all(person.email.endswith("@example.com") for person in people.values())
    assert people["ana"].fields == ("tax_help",)
    assert people["dana"].fields == ()


def test_problems_group_bad_answers_each_once():
    problems = content.problems()
    members = [key for problem in problems for key in problem.interaction_ids]
    assert len(members) == len(set(members))
    bad = {row.id for row in content._corpus().rows if row.is_bad}
    assert set(members) <= bad
    owners = {person.key for person in content.people()}
    for problem in problems:
        assert len(problem.interaction_ids) >= 2
        assert problem.category in CATEGORIES
        assert problem.severity in SEVERITIES
        assert problem.fixable_by in {"prompt", "retrieval", "model", "product", "policy"}
        assert problem.owner in owners | {""}
        assert (problem.fix is not None) == (problem.state in {"fixing", "shipped", "verified"})


def test_a_problem_that_is_verified_has_not_come_back():
    days = {row.id: row.day for row in content._corpus().rows}
    for problem in content.problems():
        if problem.state == "verified":
            assert all(days[key] > problem.fix.days_ago for key in problem.interaction_ids)
