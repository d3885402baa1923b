"""Counts, denials and last uses: kept in memory, written in one go, bounded whatever strangers ask."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.counts.tally import MAX_KEYS, Tally
from registries.access.counts.tally_rows import DENIALS_KEPT, USES_KEPT, forget_old
from registries.access.facts import Grant, Verdict
from registries.access.models import AccessRule
from registries.access.principals import ANONYMOUS, Principal
from registries.access.tasks import flush_counters
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.registries.access.cast import make_registry

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ALICE = Principal("user", "7", "alice", address="10.1.2.3")


@pytest.fixture
def prod() -> Registry:
    return make_registry("prod")


def refused(name: str = "a") -> tuple[Grant, ...]:
    return (Grant(Scope.repository(name, "push"), (Verdict("push", False, "pipeline_only", "only the pipeline"),)),)


def granted(name: str = "a") -> tuple[Grant, ...]:
    verdicts = (
        Verdict("pull", True, "by_default", "zone"),
        Verdict("push", False, "pipeline_only", "only the pipeline"),
    )
    return (Grant(Scope.repository(name, "pull", "push"), verdicts),)


def test_repeats_are_counted_and_not_repeated(prod: Registry) -> None:
    tally = Tally()
    for minute in range(3):
        tally.note_denials(prod.pk, "alice", refused(), NOW + timedelta(minutes=minute))
        tally.note_token(prod.pk, ALICE, refused(), "narrowed", NOW)
    tally.flush()
    tally.note_denials(prod.pk, "alice", refused(), NOW + timedelta(minutes=9))
    tally.flush()
    denial = Denial.objects.get()
    assert (denial.count, denial.first_at, denial.last_at) == (4, NOW, NOW + timedelta(minutes=9))
    assert TokenCount.objects.get().count == 3


def test_a_new_denial_is_written_right_after_the_answer_and_a_repeat_in_its_time(prod: Registry) -> None:
    tally = Tally()
    tally.note_token(prod.pk, ALICE, granted(), "issued", NOW)
    tally.flush_if_due()
    assert not TokenCount.objects.exists()
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.flush_if_due()
    assert Denial.objects.get().count == 1
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.flush_if_due()
    assert Denial.objects.get().count == 1


def test_strangers_cannot_fill_the_memory(prod: Registry) -> None:
    tally = Tally()
    for number in range(MAX_KEYS * 3):
        tally.note_denials(prod.pk, "anonymous", refused(f"name-{number}"), NOW)
        tally.note_token(prod.pk, ANONYMOUS, refused(f"name-{number}"), "narrowed", NOW)
    notes = tally.take()
    assert (len(notes.denials), len(notes.asked)) == (MAX_KEYS, MAX_KEYS)


def test_what_cannot_be_written_is_kept(prod: Registry) -> None:
    tally = Tally()
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.note_token(prod.pk, ALICE, refused(), "narrowed", NOW)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_denial RENAME TO gone")
        assert tally.flush() == 0
        cursor.execute("ALTER TABLE gone RENAME TO access_denial")
    tally.note_token(prod.pk, ALICE, refused(), "narrowed", NOW)
    assert tally.flush() == 3
    assert (Denial.objects.get().count, TokenCount.objects.get().count) == (1, 2)


def test_a_registry_that_is_gone_takes_its_counts_along(prod: Registry) -> None:
    tally = Tally()
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.note_token(prod.pk, ALICE, granted(), "issued", NOW)
    prod.delete()
    tally.flush()
    assert not Denial.objects.exists()
    assert not AccessUse.objects.exists()


def test_what_was_asked_is_rolled_up_by_day_with_what_came_of_it(prod: Registry) -> None:
    """Requests of one day that are alike are one row, whichever process counted them."""
    robot = Principal("robot", "3", "robot.payments-ci", "ci", address="10.9.9.9", is_keyless=True)
    for tally in (Tally(), Tally()):
        for minute in range(3):
            tally.note_token(
                prod.pk, robot, (*granted("a"), *refused("b")), "narrowed", NOW + timedelta(seconds=minute)
            )
        tally.note_token(prod.pk, robot, (), "issued", NOW)
        tally.flush()
    rows = {row.repository: row for row in AccessUse.objects.all()}
    assert {name: (row.asked, row.granted, row.count) for name, row in rows.items()} == {
        "a": ("pull,push", "pull", 6),
        "b": ("push", "", 6),
        "": ("", "", 2),
    }
    row = rows["a"]
    assert (row.principal, row.address, row.is_keyless) == ("robot.payments-ci", "10.9.9.9", True)
    assert row.last_at == NOW + timedelta(seconds=2)


def test_where_strangers_are_and_what_our_own_jobs_ask_is_not_listed(prod: Registry) -> None:
    tally = Tally()
    tally.note_token(prod.pk, Principal("anonymous", address="198.51.100.7"), granted(), "issued", NOW)
    tally.note_token(prod.pk, Principal("system", "sync", "system:sync"), granted("b"), "issued", NOW)
    tally.flush()
    row = AccessUse.objects.get()
    assert (row.principal, row.address) == ("anonymous", "")
    assert TokenCount.objects.get().count == 2


def test_a_rule_knows_when_it_last_let_somebody_in(prod: Registry) -> None:
    rule = AccessRule.objects.create(registry=prod)
    tally = Tally()
    by_rule = (Grant(Scope.repository("a", "pull"), (Verdict("pull", True, "by_rule", "a rule", rule_key=rule.pk),)),)
    for at in (NOW, NOW - timedelta(days=2)):
        tally.note_token(prod.pk, ALICE, by_rule, "issued", at)
        tally.flush()
    rule.refresh_from_db()
    assert rule.last_used_at == NOW.replace(microsecond=0)


def test_old_denials_are_forgotten(prod: Registry) -> None:
    for days in (1, 100):
        at = NOW - timedelta(days=days)
        Denial.objects.create(
            registry=prod, principal="alice", scope=f"s{days}", code="c", reason="r", first_at=at, last_at=at
        )
        values = {"registry": prod, "principal": "alice", "last_at": at, "fingerprint": str(days)}
        AccessUse.objects.create(day=at.date(), **values)
    assert forget_old(NOW) == 2
    assert Denial.objects.get().last_at > NOW - DENIALS_KEPT
    assert AccessUse.objects.get().day >= (NOW - USES_KEPT).date()
    assert flush_counters() == 0
