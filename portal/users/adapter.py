"""How do people come in? Accounts are made by admins or by an identity provider; nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts of a configured identity provider: who may sign in there is decided there."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        return True
