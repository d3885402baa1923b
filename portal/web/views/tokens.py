"""Make a personal token, put another in its place, take it back. Each is shown once, by the answer that makes it."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from portal.http.client_address import client_address
from portal.users.models import User
from portal.web.viewer import for_people
from portal.web.views.access import page_context
from registries.access.credential_rotation import replace_secret, same_again
from registries.access.credentials import revoke_secret
from registries.access.issuing import Issued, IssueRefusedError, issue_wanted
from registries.access.models import PersonalToken
from registries.access.narrowing import narrowing_of, say_narrowing
from registries.access.secret_form import ReplaceForm, SecretForm


@require_POST
@never_cache
@for_people
def create_token(request: HttpRequest, user: User) -> HttpResponseBase:
    """Make a token and show it, this once: the page is the only place where it ever stands."""
    form = SecretForm(request.POST, address=client_address(request))
    if not form.is_valid():
        return render(request, "web/access.html", page_context(request, user, form), status=400)
    try:
        issued = issue_wanted(user.actor, user, form.wanted(timezone.now()))
    except IssueRefusedError as refusal:
        form.add_error(None, str(refusal))
        form.renew()
        return render(request, "web/access.html", page_context(request, user, form), status=409)
    return _shown(request, user, issued)


@never_cache
@for_people
def replace_token(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """A new one beside the old one, which goes on for a while."""
    old = get_object_or_404(PersonalToken, pk=key, user=user)
    form = ReplaceForm(request.POST or None, old=old)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            now = timezone.now()
            wanted = same_again(old, now, expires_at=form.end(now), once=form.cleaned_data["once"])
            try:
                return _shown(request, user, replace_secret(user.actor, old, wanted, form.overlap_time()), old)
            except IssueRefusedError as refusal:
                form.add_error(None, str(refusal))
                form.renew()
                status = 409
    context = {"old": old, "form": form, "narrowing": say_narrowing(narrowing_of(old)), "is_live": old.is_live(timezone.now())}
    return render(request, "web/token_replace.html", context, status=status)


@sensitive_variables("issued")
def _shown(
    request: HttpRequest, user: User, issued: Issued, old: PersonalToken | None = None
) -> HttpResponseBase:
    if old is not None:
        old.refresh_from_db()
    context = page_context(request, user, None, made=issued.stored, secret=issued.text, replaced=old)
    return render(request, "web/access.html", context)


@require_POST
@for_people
def revoke_token(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """One of one's own; it stops working at once."""
    token = get_object_or_404(PersonalToken, pk=key, user=user)
    revoke_secret(user.actor, token)
    messages.success(request, f"The token “{token.name or token.handle}” is revoked. It no longer logs anything in.")
    return redirect("web:my-access")
