"""Which team owns a name in a zone? The longest prefix decides."""

from portal.users.models import Team
from registries.access.models import Namespace


def owner_of(zone_id: int, name: str) -> Team | None:
    """The owning team, or None where no namespace covers the name."""
    parts = name.split("/")
    prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    rows = Namespace.objects.filter(zone=zone_id, prefix__in=prefixes).select_related("team")
    best = max(rows, key=lambda row: len(row.prefix), default=None)
    return best.team if best else None
