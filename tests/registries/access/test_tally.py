"""Counts, denials and last uses: kept in memory, written in one go, bounded whatever strangers ask."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from registries.access.facts import Grant, Verdict
from registries.access.models import Denial, TokenCount
from registries.access.tally import DENIALS_KEPT, MAX_KEYS, Tally, forget_old_denials
from registries.access.tasks import flush_counters
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.registries.access.cast import make_registry

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def prod() -> Registry:
    return make_registry("prod")


def refused(name: str = "a") -> tuple[Grant, ...]:
    return (Grant(Scope.repository(name, "push"), (Verdict("push", False, "pipeline_only", "only the pipeline"),)),)


def test_repeats_are_counted_and_not_repeated(prod: Registry) -> None:
    tally = Tally()
    for minute in range(3):
        tally.note_denials(prod.pk, "alice", refused(), NOW + timedelta(minutes=minute))
        tally.note_token(prod.pk, "alice", "narrowed", NOW)
    tally.flush()
    tally.note_denials(prod.pk, "alice", refused(), NOW + timedelta(minutes=9))
    tally.flush()
    denial = Denial.objects.get()
    assert (denial.count, denial.first_at, denial.last_at) == (4, NOW, NOW + timedelta(minutes=9))
    assert TokenCount.objects.get().count == 3


def test_a_new_denial_is_written_right_after_the_answer_and_a_repeat_in_its_time(prod: Registry) -> None:
    tally = Tally()
    tally.note_token(prod.pk, "alice", "issued", NOW)
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
        tally.note_token(prod.pk, f"name-{number}", "narrowed", NOW)
    notes = tally.take()
    assert (len(notes.denials), len(notes.counts)) == (MAX_KEYS, MAX_KEYS)


def test_what_cannot_be_written_is_kept(prod: Registry) -> None:
    tally = Tally()
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.note_token(prod.pk, "alice", "narrowed", NOW)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_denial RENAME TO gone")
        assert tally.flush() == 0
        cursor.execute("ALTER TABLE gone RENAME TO access_denial")
    tally.note_token(prod.pk, "alice", "narrowed", NOW)
    assert tally.flush() == 2
    assert (Denial.objects.get().count, TokenCount.objects.get().count) == (1, 2)


def test_a_registry_that_is_gone_takes_its_counts_along(prod: Registry) -> None:
    tally = Tally()
    tally.note_denials(prod.pk, "alice", refused(), NOW)
    tally.note_token(prod.pk, "alice", "issued", NOW)
    prod.delete()
    tally.flush()
    assert not Denial.objects.exists()


def test_old_denials_are_forgotten(prod: Registry) -> None:
    for days in (1, 100):
        at = NOW - timedelta(days=days)
        Denial.objects.create(
            registry=prod, principal="alice", scope=f"s{days}", code="c", reason="r", first_at=at, last_at=at
        )
    assert forget_old_denials(NOW) == 1
    assert Denial.objects.get().last_at > NOW - DENIALS_KEPT
    assert flush_counters() == 0
