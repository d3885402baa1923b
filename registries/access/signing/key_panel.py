"""What the keys want a person to look at."""

from portal.panels import Panel, Viewer
from portal.users.models import User
from registries.access.models import SigningKey
from registries.access.signing.rotation import keys_of
from registries.topology.models import Registry


def revoked_panel(viewer: Viewer, key: str) -> Panel | None:
    """Revoked keys that a registry has not been seen to refuse, for people with a role."""
    if not (isinstance(viewer, User) and viewer.has_role()):
        return None
    held = Registry.objects.filter(signing_keys__state=SigningKey.State.REVOKED).distinct().order_by("name")
    rows = [
        {"registry": registry, "key": one}
        for registry in held
        for one in keys_of(registry).lingering
        if one.state == SigningKey.State.REVOKED
    ]
    return (
        Panel("A revoked key may still open a registry", "access/revoked_panel.html", {"rows": rows}) if rows else None
    )
