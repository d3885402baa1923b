"""Make a personal token, put another in its place, take it back. Each is shown once, by the answer that makes it."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.users.models import User
from portal.web.viewer import for_people
from portal.web.views.access import page_context
from registries.access.credential.credentials import revoke_secret
from registries.access.credential.narrowing import narrowing_of, say_narrowing
from registries.access.credential.secret_step import Step, issue_step, replace_step
from registries.access.models import PersonalToken


@require_POST
@never_cache
@for_people
def create_token(request: HttpRequest, user: User) -> HttpResponseBase:
    """Make a token and show it, this once: the page is the only place where it ever stands."""
    step = issue_step(request, user, user)
    if step.issued is not None:
        return _shown(request, user, step)
    return render(request, "web/access.html", page_context(request, user, form=step.form), status=step.status)


@never_cache
@for_people
def replace_token(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """A new one beside the old one, which goes on for a while."""
    old = get_object_or_404(PersonalToken, pk=key, user=user)
    step = replace_step(request, user, old)
    if step.issued is not None:
        return _shown(request, user, step, replaced=old)
    context = {"old": old, "narrowing": say_narrowing(narrowing_of(old)), "is_live": old.is_live(timezone.now())}
    return render(request, "web/token_replace.html", {**context, **step.context()}, status=step.status)


def _shown(request: HttpRequest, user: User, step: Step, **more: object) -> HttpResponseBase:
    """With an empty form for the next one."""
    more |= {name: value for name, value in step.context().items() if name != "form"}
    return render(request, "web/access.html", page_context(request, user, **more))


@require_POST
@for_people
def revoke_token(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """One of one's own; it stops working at once."""
    token = get_object_or_404(PersonalToken, pk=key, user=user)
    revoke_secret(user.actor, token)
    messages.success(request, f"The token “{token.name or token.handle}” is revoked. It no longer logs anything in.")
    return redirect("web:my-access")
