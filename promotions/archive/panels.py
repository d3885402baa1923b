"""What the archive adds to the passport of a digest: why we keep it."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from promotions.archive.models import ArchiveEntry
from promotions.archive.queries import entries_seen_by
from registries.oci.digest import Digest, InvalidDigest

SHOWN = 50


def digest_panel(viewer: Viewer, key: str) -> Panel | None:
    """Archive entries of the digest that the viewer may see, with owner and reason."""
    if not isinstance(viewer, User):
        return None
    try:
        rows = ArchiveEntry.objects.filter(digest=Digest.parse(key)).select_related("upstream", "archive", "owner")
    except InvalidDigest:
        return None
    entries = entries_seen_by(viewer, rows[:SHOWN])
    return Panel("Archive", "archive/digest_panel.html", {"entries": entries}) if entries else None
