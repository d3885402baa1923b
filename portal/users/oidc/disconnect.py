"""Take a connection with a provider away again, unless it is the only way in."""

from typing import Any, Final

from allauth.socialaccount.forms import DisconnectForm as BaseDisconnectForm
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import PermissionDenied, ValidationError

from portal.audit.record import record
from portal.users.doors import may_use_password, providers
from portal.users.last_admin import LastAdminError, an_admin_remains
from portal.users.models import User

ONLY_WAY_IN: Final = "This is your only way in. Ask a platform admin for a password first."


class DisconnectForm(BaseDisconnectForm):  # type: ignore[misc]
    """Which one: those of the person who asks."""

    def clean(self) -> dict[str, Any]:
        """Refused where nothing else would let the person in."""
        told: dict[str, Any] = super().clean()
        account: SocialAccount | None = told.get("account")
        if account is not None and not _comes_in_without(account):
            raise ValidationError(ONLY_WAY_IN)
        return told

    def save(self) -> None:
        person: User = self.request.user
        account: SocialAccount = self.cleaned_data["account"]
        try:
            with an_admin_remains():
                record(person.actor, "identity.disconnected", person, provider=account.provider, **account.extra_data)
                super().save()
        except LastAdminError as error:
            raise PermissionDenied(str(error)) from error


def _comes_in_without(account: SocialAccount) -> bool:
    others = SocialAccount.objects.filter(user=account.user, provider__in=providers()).exclude(pk=account.pk)
    return may_use_password(account.user) or others.exists()
