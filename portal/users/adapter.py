"""How do people come in? Accounts are made by admins or by an identity provider; nobody signs up by themselves."""

import logging
from datetime import timedelta
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.http.client_address import client_address
from portal.users.doors import connected_providers, may_use_password, providers
from portal.users.models import User
from portal.users.oidc.come_in import check_connectable, come_in, note_refusal
from portal.users.oidc.disconnect import ONLY_WAY_IN
from portal.users.oidc.refusals import SignInError
from portal.users.second_factor import CAME_BY

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts, and what happens around every sign-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Failures are counted by the address of the person, not of our proxy."""
        return client_address(request)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """A right password is not enough where people come in by a provider alone."""
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if answer or _social(kwargs) or may_use_password(user):
            return answer
        return render(request, "account/by_provider_alone.html", status=403)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Who came by a provider comes again within hours: only then do we learn of groups that changed and people who left."""
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        provider = providers().get(login.account.provider) if (login := _social(kwargs)) else None
        if provider is None:
            request.session.pop(CAME_BY, None)
        else:
            request.session[CAME_BY] = provider.key
            request.session.set_expiry(timedelta(hours=provider.session_hours))
        return answer

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Where a password would not be taken, the mail says how one comes in instead: the page itself tells nobody who is who."""
        if may_use_password(user):
            super().send_password_reset_mail(user, email, context)
            return
        titles = [provider.title for provider in connected_providers(user) or providers().values()]
        known = {**context, "titles": titles, "address": settings.PORTAL_BASE_URL}
        self.send_mail("account/email/no_password", email, known)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts of the configured identity providers: who may sign in there is decided there."""

    error_messages: Final = {**DefaultSocialAccountAdapter.error_messages, "no_password": ONLY_WAY_IN}

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Whoever may come in has an account by the time allauth asks."""
        return False

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """From the settings alone: a row in the database could let anybody in whom its writer likes."""
        kind = "openid_connect"
        return [
            SocialApp(provider=kind, provider_id=key, name=told.title, client_id=told.client_id)
            for key, told in providers().items()
            if provider in (None, kind, key) and client_id in (None, told.client_id)
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The provider's word has been checked; now it is seen what it opens here."""
        identity = sociallogin.identity
        try:
            if sociallogin.state.get("process") != "connect":
                account = come_in(identity)
                sociallogin.account, sociallogin.user = account, account.user
            elif isinstance(request.user, User):
                _check_connectable(request.user, sociallogin)
        except SignInError as error:
            raise ImmediateHttpResponse(refuse(request, sociallogin.provider.name, error)) from error

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str = AuthError.UNKNOWN,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Every way to fail ends on one page that says what happened."""
        if isinstance(exception, SignInError):
            found = exception
        elif error == AuthError.CANCELLED:
            found = SignInError("turned_back", "It sent you back without a sign-in.")
        elif (extra_context or {}).get("state"):
            found = SignInError("provider_refused", "It sent you back with an error.")
        else:
            found = SignInError("not_started", "We know of no sign-in that this answer could belong to.")
        log.warning("sign-in by %s: %s: %s", provider.sub_id, found.code, found.sentence)
        raise ImmediateHttpResponse(refuse(request, provider.name, found))


def refuse(request: HttpRequest, title: str, error: SignInError) -> HttpResponse:
    """The page of a sign-in that came to nothing."""
    refusal = error.refusal
    known = {
        "title": refusal.title.format(provider=title),
        "help": refusal.help.format(provider=title),
        "sentence": error.sentence,
        "code": error.code,
        "provider": title,
        "contact": settings.PORTAL_CONTACT,
    }
    return render(request, "socialaccount/refused.html", known, status=refusal.status)


def _social(kwargs: dict[str, Any]) -> SocialLogin | None:
    found: SocialLogin | None = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
    return found


def _check_connectable(person: User, sociallogin: SocialLogin) -> None:
    try:
        check_connectable(person, sociallogin.identity)
    except SignInError as error:
        note_refusal(sociallogin.identity, error)
        raise
