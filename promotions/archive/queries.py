"""Which entries are there, for whom?"""

from collections.abc import Iterable

from django.utils import timezone

from portal.users.models import User
from promotions.archive.models import ArchiveEntry
from registries.access.explain import explain_from
from registries.access.snapshot import current_snapshot
from registries.access.who import principal_of


def entries_seen_by(person: User, rows: Iterable[ArchiveEntry]) -> list[ArchiveEntry]:
    """Those whose image the person may pull from the archive; all of them with a role."""
    if person.has_role():
        return list(rows)
    snapshot, principal, now = current_snapshot(), principal_of(person), timezone.now()
    return [
        row for row in rows if explain_from(snapshot, principal, "pull", row.archive, row.repository, now).is_allowed
    ]
