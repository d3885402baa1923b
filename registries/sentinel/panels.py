"""What the sentinel adds to pages of the roof."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from registries.catalog.models import Repository
from registries.sentinel.accept import maintained_by
from registries.sentinel.models import Incident
from registries.sentinel.queries import open_in

SHOWN = 5


def attention_panel(viewer: Viewer, key: str) -> Panel | None:
    """Open incidents, for people with a role and for those who maintain the names."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return None
    rows = Incident.objects.filter(state=Incident.State.OPEN).select_related("registry").order_by("-pk")
    if not viewer.has_role():
        rows = rows.filter(maintained_by(viewer))
    found = list(rows[: SHOWN + 1])
    context = {"incidents": found[:SHOWN], "has_more": len(found) > SHOWN}
    return Panel("Incidents", "sentinel/attention_panel.html", context) if found else None


def repository_panel(viewer: Viewer, key: str) -> Panel | None:
    """What is open in a repository. Whoever sees the repository may see it."""
    repository = Repository.objects.filter(pk=key).first() if key.isdigit() else None
    found = list(open_in(repository).select_related("registry")[: SHOWN + 1]) if repository else []
    context = {"incidents": found[:SHOWN], "has_more": len(found) > SHOWN, "repository": repository}
    return Panel("Incidents", "sentinel/attention_panel.html", context) if found else None
