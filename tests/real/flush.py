"""Emptying the database between transactional tests, although some tables refuse to forget.

PostgreSQL truncates, which no row trigger sees. SQLite deletes row by row, and the triggers that keep the audit
append-only abort that; so they step aside for the flush and for nothing else.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction


def let_flush_through() -> None:
    """For good; called once before the tests."""
    if connection.vendor != "sqlite":
        return
    operations: Any = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_without_triggers(self: Any, statements: Iterable[str]) -> None:
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(self, statements)
            for _, definition in triggers:
                cursor.execute(definition)

    operations.execute_sql_flush = flush_without_triggers
