"""Who looks? Every page but the login asks for a signed-in person."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.users.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, User, P], HttpResponseBase]


def for_people(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A view that gets the person who looks as its second argument; others are led to the login page."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            raise PermissionDenied("Sign in as a person; robots use the API.")
        return view(request, request.user, *args, **kwargs)

    guarded.__name__, guarded.__doc__ = view.__name__, view.__doc__
    return login_required(guarded)
