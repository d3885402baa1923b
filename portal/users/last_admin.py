"""Nobody locks everybody out: of the platform admins who can sign in, one always remains.

The change is made first and looked at then, in the transaction that makes it. So it does not matter what was changed: whether the
person is there, active, holds the role, has a password, or is connected with a provider."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from portal.users.doors import can_sign_in
from portal.users.models import Role, User

TURN: Final = 0x61646D6E  # of PostgreSQL's advisory locks, the one of whoever changes what admins there are


class LastAdminError(Exception):
    """The change would have left no platform admin who can sign in; it did not happen."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing was changed: this would leave no platform admin who can sign in. "
            "Make somebody else a platform admin first, and have them sign in."
        )


@contextmanager
def an_admin_remains() -> Iterator[None]:
    """Around any change to people, roles, passwords and connections. Raises LastAdminError, and then nothing of it has happened.

    Two who remove each other at the same moment take turns, and the second finds out. Where there was no such admin to begin
    with, nothing is refused: that is how the first one comes to be."""
    with transaction.atomic():
        take_turn()
        there_was = is_there_an_admin()
        yield
        if there_was and not is_there_an_admin():
            raise LastAdminError


def is_there_an_admin() -> bool:
    """Whether any platform admin can sign in as the portal is set up now."""
    holds = Q(is_superuser=True) | Q(role_grants__role=Role.PLATFORM_ADMIN)
    return any(can_sign_in(person) for person in User.objects.filter(holds, is_active=True).distinct())


def take_turn() -> None:
    """Wait for whoever else changes what admins there are, until the end of the transaction. Who writes other rows before that
    takes the turn first, so that two never wait for each other. SQLite lets one writer in at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
