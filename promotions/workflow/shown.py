"""What do promotions add to other pages? The passport of a digest, what needs attention, what waits for somebody."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from promotions.workflow.models import RequestState
from promotions.workflow.queries import open_requests, requests_seen_by, waiting_for
from registries.oci.digest import Digest, InvalidDigest

MOST = 10


def of_digest(viewer: Viewer, key: str) -> Panel | None:
    """Every promotion of this digest that the viewer may see, the newest first."""
    if not isinstance(viewer, User):
        return None
    try:
        rows = list(requests_seen_by(viewer).filter(items__digest=Digest.parse(key))[: MOST * 2])
    except InvalidDigest:
        return None
    if not rows:
        return None
    return Panel("Promotions", "promotions/panel_requests.html", {"requests": rows})


def attention(viewer: Viewer, key: str) -> Panel | None:
    """What is stuck of what the viewer may see: failed, blocked, or promoted with a region behind."""
    if not isinstance(viewer, User):
        return None
    seen = requests_seen_by(viewer)
    stuck = seen.filter(state__in=[RequestState.FAILED, RequestState.BLOCKED])
    behind = seen.filter(state=RequestState.PROMOTED, is_degraded=True)
    rows = [*stuck[:MOST], *behind[:MOST]]
    return Panel("Promotions that are stuck", "promotions/panel_requests.html", {"requests": rows}) if rows else None


def inbox(viewer: Viewer, key: str) -> Panel | None:
    """What waits for this person's word."""
    if not isinstance(viewer, User):
        return None
    rows = list(waiting_for(viewer)[:MOST])
    return Panel("Waiting for your decision", "promotions/panel_requests.html", {"requests": rows}) if rows else None


def of_leaver(viewer: Viewer, key: str) -> Panel | None:
    """Promotions in the name of somebody who leaves of which something may still come; for people with a role."""
    if not (isinstance(viewer, User) and viewer.has_role() and key.isdigit()):
        return None
    rows = list(open_requests().filter(on_behalf_of=int(key)).order_by("-id")[: MOST * 2])
    return Panel("Promotions in their name", "promotions/panel_requests.html", {"requests": rows}) if rows else None
