"""Who comes by a provider gets no password here by themselves: it would still open the door when the provider no longer does."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.users.doors import connected_providers
from portal.users.models import User


@login_required
def no_password_by_oneself(request: HttpRequest) -> HttpResponse:
    """Says how the person comes in, and who could give a password after all."""
    person = request.user
    if isinstance(person, User) and not person.has_usable_password():
        return render(request, "account/password_set.html", {"providers": connected_providers(person)})
    return redirect("account_change_password")
