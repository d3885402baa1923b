"""What access wants a person to look at: what ends soon of theirs."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from portal.panels import Panel, Viewer
from portal.users.models import Membership, User
from registries.access.credential.credential_ends import personal_tokens, robot_secrets
from registries.access.credential.secret_state import SOON

MOST: Final = 10
PRESSING: Final = timedelta(days=3)


def inbox_panel(viewer: Viewer, key: str) -> Panel | None:
    """Within two weeks."""
    return _panel(viewer, SOON)


def attention_panel(viewer: Viewer, key: str) -> Panel | None:
    """Within days."""
    return _panel(viewer, PRESSING)


def _panel(viewer: Viewer, within: timedelta) -> Panel | None:
    if not isinstance(viewer, User) or not viewer.is_active:
        return None
    now = timezone.now()
    tokens, secrets = ending_soon(viewer, now, within)
    context = {"tokens": tokens, "secrets": secrets, "may_replace": viewer.is_platform_admin}
    return Panel("Ends soon", "access/ends_soon_panel.html", context) if tokens or secrets else None


def ending_soon(user: User, now: datetime, within: timedelta) -> tuple[list[object], list[object]]:
    """One's personal tokens, and the robot secrets of teams one maintains or that one was shown; those followed already left out."""
    tokens = personal_tokens(now).filter(user=user, expires_at__lte=now + within)
    maintained = Membership.objects.filter(user=user, role=Membership.TeamRole.MAINTAINER).values("team")
    mine = Q(robot__team__in=maintained) | Q(shown_to=user)
    secrets = robot_secrets(now).filter(mine, expires_at__lte=now + within)
    return list(tokens.order_by("expires_at")[:MOST]), list(secrets.order_by("expires_at")[:MOST])
