"""What the catalog wants a person to look at."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from registries.catalog.models import RegistrySyncState


def attention_panel(viewer: Viewer, key: str) -> Panel | None:
    """Registries that lost too much at once, for those who can say whether that was meant."""
    if not (isinstance(viewer, User) and viewer.has_role()):
        return None
    braked = RegistrySyncState.objects.filter(braked_at__isnull=False).select_related("registry")
    states = list(braked.order_by("registry__name"))
    return Panel("Too much is missing", "catalog/braked_panel.html", {"states": states}) if states else None
