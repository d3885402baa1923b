"""What does access add to other pages? What waits for somebody in the inbox."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from registries.access.asking.request_rights import waiting_for

MOST = 10


def inbox(viewer: Viewer, key: str) -> Panel | None:
    """Requests for access that wait for this person's word."""
    if not isinstance(viewer, User):
        return None
    rows = list(waiting_for(viewer)[:MOST])
    return (
        Panel("Access asked for, waiting for you", "access/panel_requests.html", {"requests": rows}) if rows else None
    )
