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
from portal.web.clients import login_lines
from portal.web.registry_rights import rights_by_registry
from portal.web.viewer import for_people
from registries.access.client_files.closest import plan_routes
from registries.access.client_files.rows import client_registries
from registries.access.credential.secret_form import SecretForm
from registries.access.credential.secret_rows import tokens_of
from registries.topology.models import Reach, Registry


@never_cache
@for_people
def show_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """Teams, logins, tokens, rights by zone or by registry."""
    by = asked(request, "by")
    more = {"by": by, "registry_rows": rights_by_registry(user)} if by == "registry" else {}
    return render(request, "web/access.html", page_context(request, user, **more))


def page_context(request: HttpRequest, user: User, **more: object) -> dict[str, object]:
    """What the page of one's access shows. ``form``, among ``more``, is one that was sent and could not be taken."""
    return {
        "memberships": Membership.objects.filter(user=user).select_related("team"),
        "roles": sorted(role.replace("_", " ") for role in user.role_names),
        "zones": access_of(user),
        "namespaces": namespaces_of(user),
        "tokens": tokens_of(user, timezone.now()),
        "form": SecretForm(address=client_address(request)),
        "logins": login_lines(plan_routes(client_registries(with_certificates=False)), "docker", user.username),
        "first_registry": Registry.objects.filter(reach=Reach.ENFORCED).select_related("zone").first(),
        **more,
    }
