"""What was asked of the token endpoint, in the admin."""

from portal.admin_site import ReadOnlyAdmin, register
from registries.access.record_models import AccessUse, Denial, TokenCount


@register(Denial)
class DenialAdmin(ReadOnlyAdmin):
    list_display = ["principal", "registry", "scope", "reason", "count", "last_at", "first_at"]
    list_filter = ["registry", "code", "last_at"]
    list_select_related = ["registry"]
    search_fields = ["principal", "scope", "reason", "code"]


@register(AccessUse)
class AccessUseAdmin(ReadOnlyAdmin):
    list_display = ["principal", "registry", "repository", "asked", "granted", "address", "count", "last_at"]
    list_filter = ["registry", "day", "is_keyless"]
    list_select_related = ["registry"]
    search_fields = ["principal", "repository"]
    fields = [
        "day",
        "principal",
        "registry",
        "repository",
        "asked",
        "granted",
        "address",
        "is_keyless",
        "count",
        "last_at",
    ]


@register(TokenCount)
class TokenCountAdmin(ReadOnlyAdmin):
    list_display = ["hour", "registry", "outcome", "count"]
    list_filter = ["registry", "outcome", "hour"]
    list_select_related = ["registry"]
