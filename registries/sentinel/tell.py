"""Tell of incidents: one message for each team and registry, however many tags it is about."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from portal.outbox.post import tell
from portal.users.models import Role, Team, User
from portal.users.queries import holders_of
from registries.access.snapshot import Snapshot, current_snapshot
from registries.sentinel.models import Incident
from registries.topology.models import Registry

TOPIC: Final = "incident.opened"
AT_ONCE: Final = 5000
NAMED: Final = 20


def tell_new(now: datetime) -> int:
    """Those that nobody was told of yet; how many. Told by whoever marks them first."""
    with transaction.atomic():
        rows = Incident.objects.filter(told_at=None, state=Incident.State.OPEN).select_related("registry__zone")
        found = list(rows.select_for_update(of=("self",)).order_by("pk")[:AT_ONCE])
        if not found:
            return 0
        snapshot = current_snapshot()
        groups: dict[tuple[int, int | None], list[Incident]] = defaultdict(list)
        for incident in found:
            groups[incident.registry_id, owner_key(snapshot, incident)].append(incident)
        for (_, team_id), incidents in groups.items():
            _tell(incidents[0].registry, team_id, incidents)
        Incident.objects.filter(pk__in=[row.pk for row in found]).update(told_at=now)
    return len(found)


def owner_key(snapshot: Snapshot, incident: Incident) -> int | None:
    """The team that owns the name, if any does."""
    owner = snapshot.policy.owner_of(incident.registry.zone_id, incident.repository)
    return owner.team_id if owner else None


def _tell(registry: Registry, team_id: int | None, incidents: Sequence[Incident]) -> None:
    people = (
        list(User.objects.filter(is_active=True, memberships__team=team_id).order_by("username")) if team_id else []
    )
    names = [f"{row.repository}:{row.tag}" for row in incidents]
    first = names[0] if len(names) == 1 else f"{len(names)} tags"
    title = f"{first} in {registry}: not named by the rules"
    lines = [title, "", *(f"{row.repository}:{row.tag}: {row.detail}" for row in incidents[:NAMED])]
    if len(incidents) > NAMED:
        lines.append(f"and {len(incidents) - NAMED} more.")
    lines += ["", f"Look at them: {settings.PORTAL_BASE_URL}/incidents/?registry={registry.name}"]
    payload = {
        "registry": registry.name,
        "team": Team.objects.values_list("name", flat=True).get(pk=team_id) if team_id else "",
        "count": len(incidents),
        "incidents": [
            {
                "kind": row.kind,
                "repository": row.repository,
                "tag": row.tag,
                "digest": str(row.digest),
                "rule": row.rule,
            }
            for row in incidents[:NAMED]
        ],
    }
    # A team that nobody is in reads no mail.
    tell(TOPIC, title, people=people or list(holders_of(Role.PLATFORM_ADMIN)), body="\n".join(lines), payload=payload)
