"""In the admin: by which identity providers somebody comes in, on their page. A connection can be taken away, never made."""

from typing import Any

from allauth.socialaccount.models import SocialAccount

from portal.admin_site import TabularInline, display
from portal.users.doors import providers


class IdentityInline(TabularInline):
    model = SocialAccount
    verbose_name = "identity"
    verbose_name_plural = "identity providers"
    can_add = False
    fields = readonly_fields = ["provider_label", "who_label", "subject_label", "date_joined", "last_login"]

    @display(description="provider")
    def provider_label(self, connection: SocialAccount) -> str:
        known = providers().get(connection.provider)
        return known.title if known else f"{connection.provider}, which is not set up any more"

    @display(description="known there as")
    def who_label(self, connection: SocialAccount) -> str:
        return _kept(connection, "preferred_username")

    @display(description="subject")
    def subject_label(self, connection: SocialAccount) -> str:
        return _kept(connection, "sub")


def _kept(connection: SocialAccount, name: str) -> str:
    told: Any = connection.extra_data
    return str(told.get(name, "")) if isinstance(told, dict) else ""
