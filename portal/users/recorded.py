"""What allauth does to an account by itself, written into the record. It says so only after it has done it."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.signals import social_account_added
from django.db import transaction

from portal.audit.record import record
from portal.users.models import User


def listen() -> None:
    """From now on."""
    authenticator_added.connect(_added, dispatch_uid="record second factor added")
    authenticator_removed.connect(_removed, dispatch_uid="record second factor removed")
    authenticator_reset.connect(_reset, dispatch_uid="record recovery codes made")
    social_account_added.connect(_connected, dispatch_uid="record identity connected")


def _added(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record("secondfactor.added", user, authenticator)


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record("secondfactor.removed", user, authenticator)


def _reset(user: User, authenticator: Authenticator, **_: Any) -> None:
    _record("secondfactor.renewed", user, authenticator)


def _record(verb: str, user: User, authenticator: Authenticator) -> None:
    with transaction.atomic():
        record(user.actor, verb, user, type=str(authenticator.type))


def _connected(sociallogin: SocialLogin, **_: Any) -> None:
    person: User = sociallogin.user
    with transaction.atomic():
        record(person.actor, "identity.connected", person, by="hand", provider=sociallogin.account.provider,
               **sociallogin.account.extra_data)  # fmt: skip
