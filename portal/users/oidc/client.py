"""Ask a provider for the token that a code stands for, and for what the token leaves out."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

from allauth.socialaccount.providers.oauth2.client import OAuth2Client

from portal.http.outside import UnreadableError, post_form
from portal.oidc_settings import OidcProvider
from portal.users.oidc.documents import endpoints_of, told
from portal.users.oidc.refusals import SignInError


class Client(OAuth2Client):  # type: ignore[misc]
    """Knows its provider, and asks for the endpoints only when one is needed."""

    def __init__(self, provider: OidcProvider, callback_url: str) -> None:
        self.provider, self.callback_url, self.state = provider, callback_url, ""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, Any]) -> str:
        """Where the browser is sent to."""
        asked = {
            "client_id": self.provider.client_id,
            "redirect_uri": self.callback_url,
            "response_type": "code",
            "scope": " ".join(scope),
            "state": self.state,
            **extra_params,
        }
        return f"{authorization_url}{'&' if '?' in authorization_url else '?'}{urlencode(asked)}"

    def get_access_token(self, code: str, pkce_code_verifier: str = "", extra_data: None = None) -> dict[str, Any]:
        """The answer of the token endpoint. Raises SignInError."""
        endpoints = endpoints_of(self.provider)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            "code_verifier": pkce_code_verifier,
        }
        headers = {}
        if endpoints.takes_basic and self.provider.client_secret:
            headers["Authorization"] = _basic(self.provider)
        else:
            form["client_id"] = self.provider.client_id
            if self.provider.client_secret:
                form["client_secret"] = self.provider.client_secret
        try:
            status, answer = post_form(endpoints.token, form, headers)
        except UnreadableError as error:
            raise SignInError("unreachable", str(error)) from error
        if status != 200:
            raise SignInError("provider_refused", f"It answered {_named(answer)} when asked who you are.")
        return answer


def with_userinfo(provider: OidcProvider, claims: dict[str, Any], access_token: object) -> dict[str, Any]:
    """The claims, with those of userinfo where one that is wanted is missing. What the signed token says counts first.

    Raises SignInError where userinfo is of somebody else, or does not answer."""
    endpoint = endpoints_of(provider).userinfo
    wanted = {"email", "preferred_username", provider.groups_claim.partition(".")[0]} - {""}
    if wanted <= set(claims) or not endpoint or not isinstance(access_token, str) or not access_token.isascii():
        return claims
    more = told(endpoint, {"Authorization": f"Bearer {access_token}"})
    if more.get("sub") != claims["sub"]:
        raise SignInError("untrusted", "It tells about somebody else than its identity token names.")
    if "email" in claims:  # whether an address is proved is said with the address or not at all
        more.pop("email_verified", None)
    return {**more, **claims}


def _basic(provider: OidcProvider) -> str:
    """RFC 6749 2.3.1: both parts are encoded as in a form first, so that a colon stays part of what it is part of."""
    pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _named(answer: dict[str, Any]) -> str:
    """Codes of the specification are short; anything else is none of the reader's business."""
    error = answer.get("error")
    return repr(error[:60]) if isinstance(error, str) and error.isascii() and error.isprintable() else "a refusal"
