"""The audit trail is append-only, and a seal shows whether somebody changed it all the same."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from annotation.evaluation import runs
from annotation.models import GateRules
from feedbackhub.accounts.models import Membership
from feedbackhub.audit import chain
from feedbackhub.audit.models import Seal
from tests.factories import MembershipFactory

EVENTS = "accounts_membershipevent"


def behind_the_guards(statement, table=EVENTS):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def sealed(project):
    members = MembershipFactory.create_batch(3, project=project)
    behind_the_guards(f"UPDATE {EVENTS} SET pgh_created_at = now() - interval '2 minutes'")
    assert chain.seal() >= 3
    return members


def test_an_audit_row_can_be_neither_changed_nor_removed(ana):
    event = Membership.objects.get(user=ana).audit_events.get()
    for act in (lambda: event.delete(), lambda: event.__class__.objects.update(roles=["owner"])):
        with pytest.raises(DatabaseError, match=r"append_only|Cannot"), transaction.atomic():
            act()


def test_an_untouched_trail_verifies(sealed):
    assert chain.verify() is None


def test_nothing_new_makes_no_link(sealed):
    links = Seal.objects.count()
    assert chain.seal() == 0
    assert Seal.objects.count() == links


def test_a_changed_row_breaks_the_chain(sealed):
    behind_the_guards(f"UPDATE {EVENTS} SET roles = '{{owner}}' WHERE pgh_obj_id = {sealed[0].pk}")
    assert EVENTS in chain.verify()


def test_a_removed_row_breaks_the_chain(sealed):
    behind_the_guards(f"DELETE FROM {EVENTS} WHERE pgh_obj_id = {sealed[1].pk}")
    assert EVENTS in chain.verify()


def test_rows_that_may_still_be_joined_by_others_are_left_for_the_next_seal(project):
    MembershipFactory(project=project)
    assert chain.seal() == 0


def test_a_column_that_a_later_release_adds_breaks_nothing(sealed):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {EVENTS} ADD COLUMN newer text NOT NULL DEFAULT 'new'")
    assert chain.verify() is None


def test_a_seal_that_is_said_to_hold_fewer_columns_breaks_the_chain(sealed):
    seal = Seal.objects.get(table=EVENTS)
    seal.columns.remove("roles")
    seal.save()
    assert EVENTS in chain.verify()


RULES = "annotation_gaterulesevent"


@pytest.fixture
def sealed_long_ago(project):
    """The link of a release that sealed every column and kept no list, before `assertions` came to its table."""
    runs.change_rules(project=project, overall=0.5)
    GateRules.objects.update(overall=0.7)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pgh_id, (to_jsonb(t) - 'assertions')::text FROM {RULES} t ORDER BY pgh_id"
        )
        rows = cursor.fetchall()
        body = json.dumps([RULES, [text for _, text in rows]], ensure_ascii=False)
        cursor.execute(  # as the code of then does, also while the new one is being brought out
            'INSERT INTO audit_seal ("table", first_id, last_id, row_count, digest, sealed_at)'
            " VALUES (%s, %s, %s, %s, %s, now())",
            [RULES, rows[0][0], rows[-1][0], len(rows), hashlib.sha256(body.encode()).digest()],
        )
    came = MigrationRecorder.Migration.objects.filter(name="0022_track_the_gates_assertions")
    assert came.update(applied=timezone.now() + timedelta(minutes=1)) == 1


def test_a_link_from_before_columns_were_kept_holds_those_that_its_table_had_then(sealed_long_ago):
    assert Seal.objects.get().columns == []
    assert chain.verify() is None


def test_a_row_changed_behind_a_link_from_before_columns_were_kept_breaks_the_chain(
    sealed_long_ago,
):
    behind_the_guards(f"UPDATE {RULES} SET overall = 0.6 WHERE pgh_label = 'changed'", RULES)
    assert RULES in chain.verify()
