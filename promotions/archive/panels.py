"""What the archive adds to other pages: why we keep a digest, and what of it somebody leaves behind."""

from portal.panels import Panel, Viewer
from portal.users.models import Membership, User
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


def leaving_panel(viewer: Viewer, key: str) -> Panel | None:
    """Entries of teams that somebody who leaves maintains; for people with a role."""
    if not (isinstance(viewer, User) and viewer.has_role() and key.isdigit()):
        return None
    maintained = Membership.objects.filter(user=int(key), role=Membership.TeamRole.MAINTAINER).values("team")
    rows = ArchiveEntry.objects.filter(owner__in=maintained).select_related("archive", "owner")
    entries = list(rows.order_by("review_on", "pk")[:SHOWN])
    context = {"entries": entries}
    return Panel("Archive entries of teams they maintain", "archive/leaving_panel.html", context) if entries else None
