"""What may I do where, with which credentials, and how do I set up my client?"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from portal.http.client_address import client_address
from portal.users.models import Membership, User
from portal.web.access_rows import access_of, namespaces_of
from portal.web.asked import asked
from portal.web.clients import clients_for
from portal.web.viewer import for_people
from registries.access.models import PersonalToken
from registries.access.secret_form import SecretForm
from registries.access.secret_rows import tokens_of
from registries.topology.models import Reach, Registry


@never_cache
@for_people
def show_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """Teams, rights by zone, tokens."""
    return render(request, "web/access.html", page_context(request, user))


def page_context(request: HttpRequest, user: User, **more: object) -> dict[str, object]:
    """What the page of one's access shows. ``form``, among ``more``, is one that was sent and could not be taken."""
    return {
        "memberships": Membership.objects.filter(user=user).select_related("team"),
        "roles": sorted(role.replace("_", " ") for role in user.role_names),
        "zones": access_of(user),
        "namespaces": namespaces_of(user),
        "tokens": tokens_of(user, timezone.now()),
        "form": SecretForm(address=client_address(request)),
        "first_registry": Registry.objects.filter(reach=Reach.ENFORCED).select_related("zone").first(),
        **more,
    }


@for_people
def show_clients(request: HttpRequest, user: User) -> HttpResponseBase:
    """Exact commands for every registry that trusts our tokens."""
    registries = Registry.objects.filter(reach=Reach.ENFORCED).select_related("zone", "location")
    chosen = asked(request, "registry")
    rows = [
        (row, clients_for(row.host, user.username, is_plain=row.base_url.startswith("http://")))
        for row in registries
        if chosen in ("", row.name)
    ]
    has_token = PersonalToken.objects.filter(user=user, revoked_at=None).exists()
    context = {"rows": rows, "registries": registries, "has_token": has_token}
    return render(request, "web/clients.html", context)
