"""A zone: who may do what here? Hard rules, defaults, restrictions, naming rules and owners on one page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.users.models import User
from portal.web.asked import clean
from portal.web.stopped import notes_of
from portal.web.viewer import for_people
from registries.access.hard_rule_words import hard_rules
from registries.access.models import Namespace, Restriction
from registries.access.naming_rules.naming_models import NamingRule
from registries.access.restrictions import NotOursToEndError, end_restriction, may_end, stopped_in
from registries.topology.models import Registry, Zone, ZoneDefault

MOST_OWNERS = 100


@for_people
def show_zone(request: HttpRequest, user: User, name: str) -> HttpResponseBase:
    """Everybody signed in may read the rules they live under."""
    zone = get_object_or_404(Zone, name=name)
    owners = list(Namespace.objects.filter(zone=zone).select_related("team").order_by("prefix")[: MOST_OWNERS + 1])
    context = {
        "zone": zone,
        "registries": Registry.objects.filter(zone=zone).select_related("location", "health"),
        "hard_rules": hard_rules(zone.name, zone.kind, requires_keyless=zone.requires_keyless),
        "defaults": ZoneDefault.objects.filter(zone=zone),
        "stopped": notes_of(user, stopped_in(zone, timezone.now())),
        "naming": NamingRule.objects.filter(zone=zone),
        "owners": owners[:MOST_OWNERS],
        "has_more_owners": len(owners) > MOST_OWNERS,
        "sees_names": user.has_role(),
    }
    return render(request, "web/zone.html", context)


@require_POST
@for_people
def end_now(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """End a restriction early; back to where it was seen."""
    row = get_object_or_404(Restriction.objects.select_related("zone", "registry"), pk=key)
    if not may_end(user, row):
        raise PermissionDenied("Restrictions that people made are ended by platform admins and security.")
    try:
        is_ended = end_restriction(user.actor, row, timezone.now())
    except NotOursToEndError as error:
        raise PermissionDenied(str(error)) from error
    messages.success(request, "It is ended." if is_ended else "It was over already.")
    back = clean(request.POST, "back")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else "web:map")
