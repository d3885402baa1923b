"""Is a password enough? The portal may ask everybody with a role for a second factor; its secrets rest encrypted."""

from collections.abc import Callable
from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.http.problem import Problem, problem_response
from portal.users.doors import must_have_second_factor, providers
from portal.users.models import User
from portal.vault import UndecryptableError, cipher

CAME_BY: Final = "portal_oidc"  # in the session: the key of the provider the person came by
OPEN: Final = {
    "mfa_index", "mfa_activate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_reauthenticate", "account_reauthenticate", "account_logout", "account_login", "healthz", "readyz",
}  # fmt: skip
NEEDED: Final = (
    "You hold a role, and people with a role need a second factor here. Set one up under Second factor first."
)
_ENCRYPTED: Final = "gAAAA"  # how every Fernet token begins, and no secret in base32 or hex


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seeds of authenticator apps and recovery codes rest encrypted; who needs a second factor keeps it."""

    error_messages: Final = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, or was used before. Wait for the next one your app shows.",
        "cannot_delete_authenticator": "People with a role need a second factor here, and you hold one.",
    }

    def get_totp_label(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        if not encrypted_text.startswith(_ENCRYPTED):
            return encrypted_text  # from before seeds were encrypted
        try:
            return cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise UndecryptableError(
                "The seed of a second factor cannot be decrypted: none of PORTAL_ENCRYPTION_KEYS fits. "
                "Add the key it was stored with, or remove the second factor."
            ) from error

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not must_have_second_factor(authenticator.user)


class SecondFactorMiddleware:
    """Who must have a second factor and has none is led to its page and nowhere else, in the browser and in the API alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponseBase | None:
        if not lacks_second_factor(request):
            return None
        marked: Any = request
        marked.lacks_second_factor = True
        place = request.resolver_match.view_name if request.resolver_match else ""
        if place in OPEN:
            return None
        if request.path.startswith("/api/"):
            return problem_response(Problem(403, "second_factor_required", NEEDED))
        return redirect("mfa_activate_totp")


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the person behind the session needs one and has none. Providers that ask for their own are as good."""
    if not settings.PORTAL_SECOND_FACTOR_FOR_ROLES:
        return False  # and nobody's session is read for it
    person = request.user
    if not isinstance(person, User) or not must_have_second_factor(person):
        return False
    provider = providers().get(request.session.get(CAME_BY, ""))
    if provider is not None and provider.second_factor:
        return False
    return not Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists()
