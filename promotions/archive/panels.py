"""What the archive adds to the passport of a digest: why we keep it."""

from portal.panels import Panel, Viewer
from promotions.archive.models import ArchiveEntry
from registries.oci.digest import Digest, InvalidDigest

SHOWN = 50


def digest_panel(viewer: Viewer, key: str) -> Panel | None:
    """Archive entries of the digest, with owner and reason."""
    try:
        rows = ArchiveEntry.objects.filter(digest=Digest.parse(key)).select_related("upstream", "archive", "owner")
    except InvalidDigest:
        return None
    entries = list(rows[:SHOWN])
    return Panel("Archive", "archive/digest_panel.html", {"entries": entries}) if entries else None
