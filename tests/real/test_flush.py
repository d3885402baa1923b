"""Transactional tests start empty, and the audit stays append-only within each."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection

from portal.audit.models import AuditEvent


@pytest.mark.database_both
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_rows_of_an_earlier_test_are_gone_and_triggers_are_not(turn: int) -> None:
    assert AuditEvent.objects.count() == 0
    AuditEvent.objects.create(at=datetime.now(UTC), verb="test.run", detail={"turn": turn})
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
    assert AuditEvent.objects.count() == 1
