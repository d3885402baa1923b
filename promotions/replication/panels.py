"""What replication adds to the passport of a digest: where it should be, and whether it is."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from promotions.replication.queries import deliveries_of, seen_by
from registries.oci.digest import Digest, InvalidDigest

SHOWN = 50


def digest_panel(viewer: Viewer, key: str) -> Panel | None:
    """Deliveries of the digest; nothing where no rule speaks of it."""
    if not isinstance(viewer, User):
        return None
    try:
        rows = seen_by(viewer, deliveries_of(Digest.parse(key))[:SHOWN])
    except InvalidDigest:
        return None
    return Panel("Regions", "replication/digest_panel.html", {"deliveries": rows}) if rows else None
