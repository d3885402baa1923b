"""One sealer after the other chains what was committed, and whatever was done to the record afterwards is found."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from portal.actor import system
from portal.audit import seal
from portal.audit.models import AuditCheckpoint, AuditEvent, AuditSeal
from portal.audit.record import record
from portal.audit.seal import seal_committed
from portal.audit.verify import verify_record

OTHER_KEY = "b3RoZXItdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def happen(count: int = 1, **detail: Any) -> list[AuditEvent]:
    with transaction.atomic():
        return [record(system("tester"), "door.opened", name=f"door {number}", **detail) for number in range(count)]


def by_force(statement: str, *parameters: Any) -> None:
    """As somebody who owns the database: the triggers are put out of the way first."""
    with connection.cursor() as cursor:
        for table in ("audit_auditevent", "audit_auditseal", "audit_auditcheckpoint"):
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
            else:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)


def insert(pk: int, *, age: timedelta) -> None:
    by_force(
        "INSERT INTO audit_auditevent (id, at, verb, actor_kind, actor_key, actor_name, object_label, object_key, "
        "object_name, detail, request_id) VALUES (%s, %s, 'role.granted', 'user', '1', 'alice', '', '', '', '{}', '')",
        pk,
        timezone.now() - age,
    )


def test_what_was_committed_is_sealed_once_in_order() -> None:
    events = happen(3, size=2**53 - 1, share=0.25, name_of_it="Ærø")
    assert seal_committed() == 3
    assert seal_committed() == 0
    seals = AuditSeal.objects.order_by("sequence")
    assert [row.event_id for row in seals] == [event.pk for event in events]
    assert [row.sequence for row in seals] == [1, 2, 3]
    found = verify_record()
    assert (found.sealed, found.unsealed, found.checkpoints, found.findings) == (3, 0, 1, ())


def test_more_than_a_batch_is_sealed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "BATCH", 4)
    happen(10)
    assert seal_committed() == 10
    assert verify_record().is_whole


def test_an_empty_record_is_whole_and_its_tail_is_told() -> None:
    assert verify_record().is_whole
    happen(2)
    found = verify_record()
    assert (found.sealed, found.unsealed, found.findings) == (0, 2, ())


def test_an_event_committed_after_later_ones_were_sealed_is_not_forgotten() -> None:
    first, late, last = happen(3)
    by_force("DELETE FROM audit_auditevent WHERE id = %s", late.pk)
    assert seal_committed() == 2
    AuditEvent.objects.bulk_create([late])
    assert seal_committed() == 1
    order = list(AuditSeal.objects.order_by("sequence").values_list("event_id", flat=True))
    assert order == [first.pk, last.pk, late.pk]
    assert verify_record().findings == ()


@pytest.mark.parametrize(
    ("crime", "sentence"),
    [
        ("UPDATE audit_auditevent SET actor_name = 'mallory' WHERE id = {2}", r"Event {2} \(door.opened\) has been changed"),
        ("UPDATE audit_auditevent SET detail = '{{\"a\": 1}}' WHERE id = {2}", r"Event {2} \(door.opened\) has been changed"),
        ("UPDATE audit_auditevent SET detail = '{{\"a\": 1e40}}' WHERE id = {2}", r"Event {2} \(.*\) has been changed"),
        ("UPDATE audit_auditevent SET at = '2020-01-01 00:00:00+00:00' WHERE id = {2}", r"Event {2} .* has been changed"),
        ("DELETE FROM audit_auditevent WHERE id = {2}", "Event {2}, sealed as number 2, has been removed"),
        ("DELETE FROM audit_auditseal WHERE sequence = 2", "Seals 2 to 2 are missing"),
        ("DELETE FROM audit_auditseal WHERE sequence = 4", "does not have the hash that was signed at 4"),
        ("UPDATE audit_auditseal SET previous_hash = 'f' WHERE sequence = 3", "Seal 3 does not follow"),
        ("UPDATE audit_auditseal SET hash = 'f' WHERE sequence = 2", "sealed as number 2"),
        ("UPDATE audit_auditcheckpoint SET signature = 'AAAA'", "Checkpoint 4 has a signature that is not ours"),
        ("UPDATE audit_auditcheckpoint SET signature = 'A'", "Checkpoint 4 has a signature that is not ours"),
        ("UPDATE audit_auditcheckpoint SET hash = 'f'", "does not have the hash that was signed at 4"),
        ("DELETE FROM audit_auditcheckpoint", "no signed checkpoint"),
    ],
)  # fmt: skip
def test_what_was_changed_or_removed_is_found(crime: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    events = happen(4)
    seal_committed()
    numbers = (0, *(event.pk for event in events))
    by_force(crime.format(*numbers))
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "The record is not whole." in said.err
    assert re.search(sentence.format(*numbers), said.err)


def test_a_whole_chain_made_anew_is_found_by_the_signed_checkpoint() -> None:
    happen(4)
    seal_committed()
    by_force("UPDATE audit_auditevent SET actor_name = 'mallory'")
    by_force("DELETE FROM audit_auditseal")
    seal_committed()
    assert verify_record().findings == ("The chain does not have the hash that was signed at 4.",)


@pytest.mark.parametrize("is_sealed_afterwards", [True, False])
def test_an_event_slipped_in_with_an_old_date_is_found(is_sealed_afterwards: bool) -> None:
    gap = happen(3)[1].pk
    by_force("DELETE FROM audit_auditevent WHERE id = %s", gap)
    seal_committed()
    insert(gap, age=timedelta(days=2))
    if is_sealed_afterwards:
        seal_committed()
    (finding,) = verify_record().findings
    assert finding.startswith(f"Event {gap} (role.granted) was slipped in: it says ")


def test_an_event_too_far_back_to_be_sealed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    events = happen(5)
    by_force("DELETE FROM audit_auditevent WHERE id = %s", events[0].pk)
    seal_committed()
    insert(events[0].pk, age=timedelta())
    for module in ("seal", "verify"):
        monkeypatch.setattr(f"portal.audit.{module}.REACH_BACK", 3)
    assert seal_committed() == 0
    assert verify_record().findings == (
        f"Event {events[0].pk} (role.granted) has no seal and lies too far back to get one.",
    )


def test_a_checkpoint_signed_with_a_key_of_somebody_else_is_found(settings: Settings) -> None:
    ours = settings.PORTAL_ENCRYPTION_KEYS
    settings.PORTAL_ENCRYPTION_KEYS = [OTHER_KEY]
    happen()
    seal_committed()
    settings.PORTAL_ENCRYPTION_KEYS = ours
    (finding,) = verify_record().findings
    assert finding == "Checkpoint 1 was signed with a key that PORTAL_ENCRYPTION_KEYS no longer has."


def test_checkpoints_outlive_a_rotation_of_keys(settings: Settings) -> None:
    happen()
    seal_committed(timezone.now() - timedelta(hours=2))
    settings.PORTAL_ENCRYPTION_KEYS = [OTHER_KEY, *settings.PORTAL_ENCRYPTION_KEYS]
    happen()
    seal_committed()
    assert len(set(AuditCheckpoint.objects.values_list("key_id", flat=True))) == 2
    assert verify_record().findings == ()


def test_missing_checkpoints_between_others_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("seal", "verify"):
        monkeypatch.setattr(f"portal.audit.{module}.BATCH", 2)
        monkeypatch.setattr(f"portal.audit.{module}.CHECKPOINT_EVERY", 4)
    happen(24)
    seal_committed()
    assert verify_record().is_whole
    by_force("DELETE FROM audit_auditcheckpoint WHERE sequence > 4 AND sequence < 20")
    assert any("Signed checkpoints between" in finding for finding in verify_record().findings)


def test_the_command_says_how_whole_the_record_is(capsys: pytest.CaptureFixture[str]) -> None:
    happen(2)
    call_command("verify_audit")
    assert "0 events sealed, 2 not yet sealed" in capsys.readouterr().out
    call_command("verify_audit", "--seal")
    said = capsys.readouterr().out
    assert "2 events sealed, 0 not yet sealed, 1 checkpoints signed." in said
    assert "The record is whole." in said


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain() -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def until_stopped(work: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)
        finally:
            connections.close_all()

    sealers = [threading.Thread(target=until_stopped, args=(seal_committed,)) for _ in range(3)]
    for thread in sealers:
        thread.start()
    for _ in range(60):
        happen(2)
    stop.set()
    for thread in sealers:
        thread.join(30)
    seal_committed()
    assert failures == []
    assert AuditSeal.objects.count() == 120
    assert verify_record().findings == ()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_after_its_neighbours_were_sealed_is_sealed_too() -> None:
    is_written, may_commit = threading.Event(), threading.Event()

    def slow_operation() -> None:
        with transaction.atomic():
            record(system("slow"), "door.opened")
            is_written.set()
            may_commit.wait(30)
        connections.close_all()

    thread = threading.Thread(target=slow_operation)
    thread.start()
    assert is_written.wait(30)
    (quick,) = happen()
    assert seal_committed() == 1
    may_commit.set()
    thread.join(30)
    assert seal_committed() == 1
    late = AuditSeal.objects.get(sequence=2)
    assert late.event_id < quick.pk
    assert verify_record().findings == ()
