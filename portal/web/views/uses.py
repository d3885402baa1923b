"""Who used a registry or a repository lately?"""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone

from portal.users.models import User
from portal.web.asked import asked
from portal.web.listing import Column, respond
from portal.web.viewer import for_people
from registries.access.counts.record_models import AccessUse
from registries.access.models import Namespace
from registries.topology.models import Registry

DAYS = 30
MOST_NAMED = 12
COLUMNS = (
    Column("principal", "Who", lambda row: row.principal, "principal"),
    Column("repository", "Repository", lambda row: row.repository, "repository"),
    Column("asked", "Asked for", lambda row: row.asked),
    Column("granted", "Got", lambda row: row.granted),
    Column("count", "Requests", lambda row: row.count, "count", is_number=True),
    Column("day", "Day", lambda row: row.day.isoformat(), "day"),
    Column("last", "Last", lambda row: row.last_at, "last_at"),
)
# Where clients are is for those who look after access.
FOR_ROLES = (Column("address", "From", lambda row: row.address),)


@for_people
def list_uses(request: HttpRequest, user: User) -> HttpResponseBase:
    """Uses day by day, for people with a role and for the teams that own the names."""
    registry = get_object_or_404(Registry.objects.select_related("zone"), name=asked(request, "registry"))
    name, text, outcome = asked(request, "repository"), asked(request, "q"), asked(request, "got")
    seen = uses_seen_by(user, registry)
    if seen is None:
        raise PermissionDenied(
            "Who used a registry is shown to people with a role, and to teams for the names that they own."
        )
    rows = seen.filter(day__gte=(timezone.now() - timedelta(days=DAYS)).date()).exclude(repository="")
    if name:
        rows = rows.filter(repository=name)
    if text:
        rows = rows.filter(Q(principal__icontains=text))
    if outcome == "refused":
        rows = rows.filter(granted="")
    context = {
        "registry": registry,
        "repository": name,
        "people": _by_principal(rows) if name else (),
        "has_addresses": user.has_role(),
        "is_filtered": bool(text or outcome),
    }
    columns = (*COLUMNS, *FOR_ROLES) if user.has_role() else COLUMNS
    return respond(request, "web/uses.html", rows, columns, order="-last", context=context)


def uses_seen_by(user: User, registry: Registry) -> QuerySet[AccessUse] | None:
    """Uses of the registry that somebody may see; None where there are none for them, whatever was asked."""
    rows = AccessUse.objects.filter(registry=registry)
    if user.has_role():
        return rows
    prefixes = Namespace.objects.filter(zone=registry.zone, team__memberships__user=user).values_list(
        "prefix", flat=True
    )
    own = Q()
    for prefix in prefixes:
        own |= Q(repository=prefix) | Q(repository__prefix=f"{prefix}/")
    foreign = _foreign_within(user, registry, list(prefixes))
    return rows.filter(own).exclude(foreign) if own else None


def _foreign_within(user: User, registry: Registry, prefixes: list[str]) -> Q:
    """Longer prefixes below one's own that belong to others."""
    found = Q(pk__in=[])
    others = Namespace.objects.filter(zone=registry.zone).exclude(team__memberships__user=user)
    for other in others.values_list("prefix", flat=True):
        if any(other.startswith(f"{prefix}/") for prefix in prefixes):
            found |= Q(repository=other) | Q(repository__prefix=f"{other}/")
    return found


def may_see_uses(user: User, registry: Registry, repository: str) -> bool:
    """Whether the page of one repository leads there."""
    if user.has_role():
        return True
    parts = repository.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    rows = Namespace.objects.filter(zone=registry.zone, prefix__in=above)
    owner = max(rows.values_list("prefix", "team_id"), key=lambda row: len(row[0]), default=None)
    return owner is not None and user.memberships.filter(team=owner[1]).exists()


def _by_principal(rows: QuerySet[AccessUse]) -> list[Any]:
    summed = rows.values("principal").annotate(requests=Sum("count"), last=Max("last_at"))
    return list(summed.order_by("-requests", "principal")[:MOST_NAMED])
