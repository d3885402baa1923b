"""Names: which has no owner, and what would a rule on names find?"""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.audit.record import record
from portal.users.models import Role, Team, User
from portal.web.asked import asked, clean
from portal.web.listing import Column, respond
from portal.web.viewer import for_people
from registries.access.models import Namespace
from registries.access.naming_rules.namespaces import claim_namespace, notes_on
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.unowned import is_unowned, pushers_of, unowned_groups
from registries.sentinel.trial import try_rule
from registries.topology.models import Registry, Zone

COLUMNS = (
    Column("head", "Names", lambda row: row.head, "head"),
    Column("registry", "Registry", lambda row: row.registry_name, "registry_name"),
    Column("zone", "Zone", lambda row: row.zone_name, "zone_name"),
    Column("repositories", "Repositories", lambda row: row.repositories, "repositories", is_number=True),
    Column("size_bytes", "Size", lambda row: row.bytes, "bytes", is_number=True),
    Column("moved", "Moved last", lambda row: row.moved, "moved"),
    Column("pushers", "Pushed lately", lambda row: ", ".join(pushers_of([row]).get(row.key, []))),
)


def _with_role(user: User) -> None:
    if not user.has_role():
        raise PermissionDenied("Who owns which names is shown to people with a role. Ask a platform admin for one.")


@for_people
def list_unowned(request: HttpRequest, user: User) -> HttpResponseBase:
    """Names of all registries that no team answers for, by their first part."""
    _with_role(user)
    zone, registry, text = (asked(request, name) for name in ("zone", "registry", "q"))
    rows = unowned_groups(zone, registry, text)
    context: dict[str, object] = {
        "zones": Zone.objects.all(),
        "registries": Registry.objects.all(),
        "teams": Team.objects.all() if user.is_platform_admin else (),
        "is_filtered": bool(zone or registry or text),
        "has_namespaces": Namespace.objects.exists(),
    }
    return respond(
        request, "web/unowned.html", rows, COLUMNS, order="-repositories", context=context, tie="key", about=_about
    )


def _about(rows: Sequence[Any]) -> dict[str, object]:
    return {"pushers": pushers_of(rows)}


@require_POST
@for_people
def claim(request: HttpRequest, user: User) -> HttpResponseBase:
    """One click: the team owns the first part in the zone. Back to the list as it was filtered."""
    if not user.has_role(Role.PLATFORM_ADMIN):
        raise PermissionDenied("Names are given to teams by platform admins.")
    zone = get_object_or_404(Zone, name=clean(request.POST, "zone"))
    team = Team.objects.filter(name=clean(request.POST, "team")).first()
    head = clean(request.POST, "head")
    if team is None:
        messages.error(request, f"Choose the team that is to own {head}.")
    elif not is_unowned(zone.pk, head):
        messages.warning(request, f"Everything under {head} in {zone} has an owner by now, or is gone.")
    else:
        _claim(request, user, zone, head, team)
    query = clean(request.POST, "query")
    return redirect(f"{request.path.removesuffix('claim/')}{'?' if query else ''}{query.lstrip('?')}")


def _claim(request: HttpRequest, user: User, zone: Zone, head: str, team: Team) -> None:
    try:
        made = claim_namespace(user.actor, zone, head, team)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return
    messages.success(request, f"Team {team} owns {head} in {zone} from now on.")
    for text in notes_on(made):
        messages.warning(request, text)


@for_people
def show_naming_rule(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """What the rule would find, or finds, in the catalog; platform admins switch it on and off here."""
    _with_role(user)
    rule = get_object_or_404(NamingRule.objects.select_related("zone"), pk=key)
    if request.method == "POST":
        return _switch(request, user, rule)
    context = {"rule": rule, "trial": try_rule(rule), "may_switch": user.is_platform_admin}
    return render(request, "web/naming_rule.html", context)


def _switch(request: HttpRequest, user: User, rule: NamingRule) -> HttpResponseBase:
    if not user.is_platform_admin:
        raise PermissionDenied("Naming rules are switched by platform admins.")
    is_on = request.POST.get("is_enabled") == "1"
    with transaction.atomic():
        rule.is_enabled = is_on
        rule.save(update_fields=["is_enabled"])
        record(user.actor, "namingrule.changed", rule, fields=["is_enabled"], is_enabled=is_on)
    messages.success(request, f"The rule is {'on: it counts from the next request on' if is_on else 'off'}.")
    return redirect("web:naming-rule", key=rule.pk)
