"""History can be added to and in no other way be touched: not by our code, not by the ORM, not by SQL."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from portal.actor import system
from portal.audit.models import AppendOnly, AppendOnlyError, AuditEvent
from portal.audit.record import record
from portal.audit.seal import seal_committed

RECORDS = [model for model in apps.get_models() if issubclass(model, AppendOnly)]

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def event() -> AuditEvent:
    with transaction.atomic():
        return record(system("tester"), "door.opened", name="front door")


def test_a_fact_outside_its_transaction_is_refused(transactional_db: None) -> None:
    with pytest.raises(transaction.TransactionManagementError, match=r"door\.opened would be recorded outside"):
        record(system("tester"), "door.opened")
    assert not AuditEvent.objects.exists()


def test_a_fact_falls_with_what_it_records() -> None:
    def open_door() -> None:
        record(system("tester"), "door.opened")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        open_door()
    assert not AuditEvent.objects.exists()


def test_our_own_code_is_told_why_not(event: AuditEvent) -> None:
    event.verb = "door.closed"
    with pytest.raises(AppendOnlyError, match=f"audit event {event.pk} is part of the record and cannot be changed"):
        event.save()
    with pytest.raises(AppendOnlyError, match="cannot be removed"):
        event.delete()
    assert AuditEvent.objects.get().verb == "door.opened"


def test_the_orm_in_bulk_is_refused_by_the_database(event: AuditEvent) -> None:
    attempts = (
        lambda: AuditEvent.objects.update(verb="door.closed"),
        lambda: AuditEvent.objects.bulk_update([AuditEvent(pk=event.pk, verb="door.closed")], ["verb"]),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.all()._raw_delete(using="default"),
    )
    for attempt in attempts:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get().verb == "door.opened"


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.label_lower)
def test_every_table_of_record_refuses_sql(model: type[models.Model]) -> None:
    """A table that a migration rebuilds loses its triggers on SQLite; here it would show."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE type='trigger' AND tbl_name=%s", [model._meta.db_table])
        else:
            cursor.execute(
                "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid=%s::regclass AND tgenabled='O'",
                [model._meta.db_table],
            )
        triggers = " ".join(row[0] for row in cursor.fetchall())
    assert "BEFORE UPDATE" in triggers
    assert "BEFORE DELETE" in triggers


def test_seals_and_checkpoints_refuse_sql_as_well(event: AuditEvent) -> None:
    assert seal_committed() == 1
    for table in ("audit_auditevent", "audit_auditseal", "audit_auditcheckpoint"):
        for statement in (f"UPDATE {table} SET id = id + 1", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


@pytest.mark.parametrize("value", [float("nan"), 2**53, -(2**60), 1e22, [{"bytes": 2**64}]])
def test_a_detail_that_could_never_be_sealed_is_refused_at_once(value: object) -> None:
    with pytest.raises(ValueError, match=r"The detail of disk\.filled cannot be sealed"), transaction.atomic():
        record(system("tester"), "disk.filled", bytes=value)


def test_the_guard_knows_every_table_of_record() -> None:
    assert {"audit.auditevent", "audit.auditseal", "audit.auditcheckpoint"} <= {
        model._meta.label_lower for model in RECORDS
    }
