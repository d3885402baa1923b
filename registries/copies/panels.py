"""What copies add to the passport of a digest: which jobs of ours carried it where."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from registries.copies.models import CopyJob
from registries.oci.digest import Digest, InvalidDigest

SHOWN = 20


def digest_panel(viewer: Viewer, key: str) -> Panel | None:
    """For people with a role, who may see all repositories it names."""
    if not (isinstance(viewer, User) and viewer.has_role()):
        return None
    try:
        digest = Digest.parse(key)
    except InvalidDigest:
        return None
    jobs = list(CopyJob.objects.filter(digest=digest).select_related("source", "target").order_by("-id")[:SHOWN])
    return Panel("How it was carried", "copies/digest_panel.html", {"jobs": jobs}) if jobs else None
