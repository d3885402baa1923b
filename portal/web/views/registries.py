"""A registry: is it well, what is in it, how far does our word reach, what touches it?"""

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from portal.admin_site import has_role
from portal.users.models import User
from portal.web.asked import asked
from portal.web.listing import Column, respond
from portal.web.map_rows import health_of, load_map
from portal.web.moves import last_moves
from portal.web.request_counts import requests_of
from portal.web.stopped import notes_of
from portal.web.viewer import for_people
from portal.web.views.uses import uses_seen_by
from registries.access.restrictions import stopped_at
from registries.catalog.models import Repository
from registries.catalog.queries import repositories_seen_by
from registries.topology.models import Registry, Zone, ZoneDefault

COLUMNS = (
    Column("name", "Registry", lambda row: row.name, "name"),
    Column("zone", "Zone", lambda row: row.zone.name, "zone__position"),
    Column("location", "Location", lambda row: row.location.name if row.location else "", "location__name"),
    Column("product", "Make", lambda row: row.product, "product"),
    Column("reach", "Our word", lambda row: row.reach, "reach"),
    Column("health", "Health", lambda row: health_of(row)[0], "health__state"),
    Column("repositories", "Repositories", lambda row: row.repositories_seen, "repositories_seen", is_number=True),
    Column("size_bytes", "Size", lambda row: row.bytes_seen, "bytes_seen", is_number=True),
    Column("host", "", lambda row: row.host),
    Column("owner", "Owner", lambda row: row.owner.name if row.owner else "", "owner__name"),
)


@for_people
def list_registries(request: HttpRequest, user: User) -> HttpResponseBase:
    """All of them: everybody signed in may know what there is."""
    rows = _with_figures(Registry.objects.select_related("zone", "location", "health", "sync_state", "owner"))
    text, zone = asked(request, "q"), asked(request, "zone")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(title__icontains=text) | Q(host__icontains=text))
    if zone:
        rows = rows.filter(zone__name=zone)
    return respond(request, "web/registries.html", rows, COLUMNS, order="zone", context={"zones": Zone.objects.all()})


def _with_figures(rows: QuerySet[Registry]) -> QuerySet[Registry]:
    here = Q(repositories__absent_since=None)
    return rows.annotate(
        repositories_seen=Count("repositories", filter=here), bytes_seen=Sum("repositories__size_bytes", filter=here)
    )


@for_people
def show_registry(request: HttpRequest, user: User, name: str) -> HttpResponseBase:
    """One registry with its flows and what moved in it last."""
    rows = Registry.objects.select_related(
        "zone", "location", "health", "sync_state", "owner", "primary", "fronts"
    ).prefetch_related("replicas", "caches")
    registry = get_object_or_404(rows, name=name)
    state, word = health_of(registry)
    context = {
        "registry": registry,
        "state": state,
        "word": word,
        "flows": [flow for flow in load_map().flows if name in (flow.source, flow.target)],
        "defaults": ZoneDefault.objects.filter(zone=registry.zone),
        "stopped": notes_of(user, stopped_at(registry, timezone.now())),
        "sees_admin": has_role(request),
        "requests": requests_of(registry),
        "sees_uses": uses_seen_by(user, registry) is not None,
        **_contents(user, registry),
    }
    return render(request, "web/registry.html", context)


def _contents(user: User, registry: Registry) -> dict[str, object]:
    """What is in it, as far as this person may see."""
    mine: QuerySet[Repository] = repositories_seen_by(user).filter(registry=registry)
    figures = mine.aggregate(repositories=Count("pk"), size=Sum("size_bytes"), tags=Sum("tag_count"))
    return {
        "figures": figures,
        "largest": mine.order_by("-size_bytes", "pk")[:6],
        "moves": last_moves(user, 8, mine),
    }
