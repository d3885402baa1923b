"""What replication adds to the passport of a digest: where it should be, and whether it is."""

from portal.panels import Panel, Viewer
from promotions.replication.queries import deliveries_of
from registries.oci.digest import Digest, InvalidDigest

SHOWN = 50


def digest_panel(viewer: Viewer, key: str) -> Panel | None:
    """Deliveries of the digest; nothing where no rule speaks of it."""
    try:
        rows = list(deliveries_of(Digest.parse(key))[:SHOWN])
    except InvalidDigest:
        return None
    return Panel("Regions", "replication/digest_panel.html", {"deliveries": rows}) if rows else None
