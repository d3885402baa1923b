"""What do promotions add to other pages? The passport of a digest, what needs attention, what waits for somebody."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from promotions.workflow.models import RequestState
from promotions.workflow.queries import requests, requests_of_digest, waiting_for
from registries.oci.digest import Digest, InvalidDigest

MOST = 10


def of_digest(viewer: Viewer, key: str) -> Panel | None:
    """Every promotion of this digest, the newest first."""
    try:
        rows = list(requests_of_digest(Digest.parse(key))[: MOST * 2])
    except InvalidDigest:
        return None
    if not rows or not isinstance(viewer, User):
        return None
    return Panel("Promotions", "promotions/panel_requests.html", {"requests": rows})


def attention(viewer: Viewer, key: str) -> Panel | None:
    """What is stuck: failed, blocked, or promoted with a region behind."""
    if not isinstance(viewer, User):
        return None
    stuck = requests().filter(state__in=[RequestState.FAILED, RequestState.BLOCKED])
    behind = requests().filter(state=RequestState.PROMOTED, is_degraded=True)
    rows = [*stuck[:MOST], *behind[:MOST]]
    return Panel("Promotions that are stuck", "promotions/panel_requests.html", {"requests": rows}) if rows else None


def inbox(viewer: Viewer, key: str) -> Panel | None:
    """What waits for this person's word."""
    if not isinstance(viewer, User):
        return None
    rows = list(waiting_for(viewer)[:MOST])
    return Panel("Waiting for your decision", "promotions/panel_requests.html", {"requests": rows}) if rows else None
