"""allauth's provider for OpenID Connect, with every answer checked by us. Named in the settings, which say who the providers are."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
    OpenIDConnectProviderAccount,
)
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from portal.oidc_settings import OidcProvider
from portal.users.doors import providers
from portal.users.models import User
from portal.users.oidc.client import Client, with_userinfo
from portal.users.oidc.documents import endpoints_of
from portal.users.oidc.identity import read_identity
from portal.users.oidc.identity_token import nonce_of, verify_identity_token
from portal.users.oidc.refusals import SignInError


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """What happens between the browser's coming back and a person whom we know."""

    verifier = ""

    @property
    def told(self) -> OidcProvider:
        return providers()[self.provider_id]

    @property
    def authorize_url(self) -> str:
        return endpoints_of(self.told).authorization

    def get_client(self, request: HttpRequest, app: Any) -> Client:
        return Client(self.told, settings.PORTAL_BASE_URL + self.get_provider().get_callback_url())

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        if request.GET.get("iss", self.told.issuer) != self.told.issuer:  # RFC 9207: an answer of another provider
            raise SignInError("untrusted", "The answer names another issuer.")
        self.verifier = pkce_code_verifier or ""
        return client.get_access_token(request.GET["code"], self.verifier)

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Nothing of it is kept: we act for nobody at the provider."""
        return SocialToken(token="")

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        answer: dict[str, Any] = kwargs["response"]
        claims = verify_identity_token(answer.get("id_token"), self.told, nonce_of(self.verifier))
        identity = read_identity(self.told, with_userinfo(self.told, claims, answer.get("access_token")))
        provider = self.get_provider()
        account = SocialAccount(provider=provider.sub_id, uid=identity.uid, extra_data=identity.shown)
        login = SocialLogin(provider=provider, user=User(), account=account)
        login.identity = identity
        return login


class Account(OpenIDConnectProviderAccount):  # type: ignore[misc]
    """How a connection is called on pages."""

    def to_str(self) -> str:
        kept: dict[str, str] = self.account.extra_data
        return kept.get("preferred_username") or kept.get("sub") or self.account.uid


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """Always with PKCE and a nonce; what is asked for comes from the settings and never from the address of a request."""

    package = "portal.users.oidc"
    account_class = Account
    oauth2_adapter_class = Adapter

    def serialize(self) -> dict[str, Any]:
        """By its key: two providers may well have given us the same client id."""
        return {"id": self.sub_id}

    def get_scope(self) -> list[str]:
        return list(providers()[self.sub_id].scopes)

    def get_pkce_params(self) -> dict[str, str]:
        challenge: dict[str, Any] = generate_code_challenge()
        return {**challenge, "nonce": nonce_of(challenge["code_verifier"])}

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        process = "connect" if kwargs["process"] == "connect" else "login"
        return {**kwargs, "process": process, "scope": self.get_scope(), "auth_params": {}}

    def redirect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A page that goes on by itself: browsers would not let a form of ours be redirected to a foreign host, and rightly so."""
        answer: HttpResponse = super().redirect(request, *args, **kwargs)
        if not isinstance(answer, HttpResponseRedirect):
            return answer
        return render(request, "socialaccount/on_the_way.html", {"provider": self, "address": answer.url})
