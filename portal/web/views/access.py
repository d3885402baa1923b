"""What may I do where, with which credentials, and how do I set up my client?"""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.users.models import Membership, User
from portal.web.access_rows import access_of, namespaces_of
from portal.web.asked import asked
from portal.web.clients import login_lines
from portal.web.registry_rights import rights_by_registry
from portal.web.viewer import for_people
from registries.access.client_files.closest import plan_routes
from registries.access.client_files.rows import client_registries
from registries.access.credentials import issue_personal_token
from registries.access.credentials import revoke_secret as revoke
from registries.access.models import PersonalToken
from registries.topology.models import Reach, Registry

DAYS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))


class TokenForm(forms.Form):
    """A name to know it by, and an end."""

    name = forms.CharField(max_length=80, label="What is it for", help_text="For example: laptop.")
    days = forms.ChoiceField(choices=DAYS, initial="90", label="It ends after")


@for_people
def show_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """Teams, logins, tokens, rights by zone or by registry."""
    by = asked(request, "by")
    more = {"by": by, "registry_rows": rights_by_registry(user)} if by == "registry" else {}
    return render(request, "web/access.html", _context(user, TokenForm(), **more))


def _context(user: User, form: TokenForm, **more: object) -> dict[str, object]:
    return {
        "memberships": Membership.objects.filter(user=user).select_related("team"),
        "roles": sorted(role.replace("_", " ") for role in user.role_names),
        "zones": access_of(user),
        "namespaces": namespaces_of(user),
        "tokens": PersonalToken.objects.filter(user=user, revoked_at=None).order_by("-id"),
        "now": timezone.now(),
        "form": form,
        "logins": login_lines(plan_routes(client_registries(with_certificates=False)), "docker", user.username),
        "first_registry": Registry.objects.filter(reach=Reach.ENFORCED).select_related("zone").first(),
        **more,
    }


@require_POST
@never_cache
@for_people
def create_token(request: HttpRequest, user: User) -> HttpResponseBase:
    """Make a token and show it, this once: the page is the only place where it ever stands."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return render(request, "web/access.html", _context(user, form), status=400)
    ends = timezone.now() + timedelta(days=int(form.cleaned_data["days"]))
    token, secret = issue_personal_token(user.actor, user, form.cleaned_data["name"], ends)
    return render(request, "web/access.html", _context(user, TokenForm(), made=token, secret=secret))


@require_POST
@for_people
def revoke_token(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """One of one's own; it stops working at once."""
    token = get_object_or_404(PersonalToken, pk=key, user=user)
    revoke(user.actor, token)
    messages.success(request, f"The token “{token.name or token.handle}” is revoked. It no longer logs anything in.")
    return redirect("web:my-access")
