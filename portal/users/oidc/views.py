"""To the provider, and back from it."""

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from portal.users.doors import providers
from portal.users.oidc.provider import Adapter


@never_cache
@login_not_required  # type: ignore[untyped-decorator]
def start(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """A page to begin on, and with POST the way to the provider."""
    return _through(OAuth2LoginView, request, provider_id)


@never_cache
@login_not_required  # type: ignore[untyped-decorator]
def finish(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends the browser back to."""
    return _through(OAuth2CallbackView, request, provider_id)


def _through(view: type, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    if provider_id not in providers():
        raise Http404("There is no such provider to sign in with.")
    answer: HttpResponseBase = view.adapter_view(Adapter(request, provider_id))(request)  # type: ignore[attr-defined]
    return answer
