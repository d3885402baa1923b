"""Incidents: what changed that nobody asked for?"""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.users.models import User
from portal.web.asked import asked, clean
from portal.web.listing import Column, respond
from portal.web.viewer import for_people
from registries.access.naming_rules.naming_models import NamingRule
from registries.access.queries import owner_team
from registries.catalog.models import Repository
from registries.catalog.queries import repositories_seen_by
from registries.sentinel.accept import NotAcceptableError, accept_incident, may_accept, reopen_incident
from registries.sentinel.models import Incident
from registries.sentinel.queries import incidents_seen_by
from registries.topology.models import Registry

COLUMNS = (
    Column("what", "What", lambda row: f"{row.repository}:{row.tag}", "repository"),
    Column("registry", "Registry", lambda row: row.registry.name, "registry__name"),
    Column("kind", "", lambda row: row.kind),
    Column("detail", "What is wrong", lambda row: row.detail),
    Column("state", "State", lambda row: row.state, "state"),
    Column("found", "Found", lambda row: row.found_at, "found_at"),
    Column("digest", "", lambda row: str(row.digest)),
    Column("accepted_by", "", lambda row: row.accepted_by.username if row.accepted_by else ""),
    Column("reason", "", lambda row: row.reason),
    Column("resolved", "", lambda row: row.resolved_at),
)


@for_people
def list_incidents(request: HttpRequest, user: User) -> HttpResponseBase:
    """Those in what this person may see; filters by state, registry and text."""
    seen = incidents_seen_by(user)
    counts = dict(seen.order_by().values_list("state").annotate(Count("pk")))
    state, registry, text = (asked(request, name) for name in ("state", "registry", "q"))
    rows = seen
    if state:
        rows = rows.filter(state=state)
    if registry:
        rows = rows.filter(registry__name=registry)
    if text:
        rows = rows.filter(Q(repository__icontains=text) | Q(tag__icontains=text))
    context = {
        "states": [(value, counts.get(value, 0)) for value in Incident.State.values],
        "registries": Registry.objects.all(),
        "is_filtered": bool(state or registry or text),
        "has_rules": NamingRule.objects.filter(subject=NamingRule.Subject.TAG, is_enabled=True).exists(),
    }
    return respond(request, "web/incidents.html", rows, COLUMNS, order="-found", context=context)


def _find(user: User, key: int) -> Incident:
    found = incidents_seen_by(user).filter(pk=key).first()
    if found is None:
        raise Http404(f"There is no incident {key} that you may see.")
    return found


@for_people
def show_incident(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """One incident: what, since when, by which rule; accept it here."""
    return _page(request, user, _find(user, key))


def _page(request: HttpRequest, user: User, found: Incident, fault: str = "", typed: str = "") -> HttpResponseBase:
    there = repositories_seen_by(user).filter(registry=found.registry, name=found.repository).first()
    context = {
        "incident": found,
        "repository": there,
        "has_tag": isinstance(there, Repository) and there.tags.filter(name=found.tag).exists(),
        "owner": owner_team(found.registry.zone, found.repository),
        "may_accept": may_accept(user, found),
        "fault": fault,
        "typed": typed,
    }
    return render(request, "web/incident.html", context, status=400 if fault else 200)


@require_POST
@for_people
def accept(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """It may stay, for a reason that is kept."""
    found, reason = _find(user, key), clean(request.POST, "reason")
    try:
        accept_incident(user, found, reason, timezone.now())
    except NotAcceptableError as error:
        return _page(request, user, found, str(error), reason)
    messages.success(request, f"{found} may stay. It is open no more.")
    return redirect("web:incident", key=key)


@require_POST
@for_people
def reopen(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """It may not stay after all."""
    found = _find(user, key)
    try:
        reopen_incident(user, found)
    except NotAcceptableError as error:
        return _page(request, user, found, str(error))
    messages.success(request, f"{found} is open again.")
    return redirect("web:incident", key=key)
