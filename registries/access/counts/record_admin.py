"""What was asked of the token endpoint, in the admin."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.admin_site import ReadOnlyAdmin, display, register
from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.explaining.question import question_of


@register(Denial)
class DenialAdmin(ReadOnlyAdmin):
    list_display = ["principal", "registry", "scope", "reason", "explain_label", "count", "last_at", "first_at"]
    list_filter = ["registry", "code", "last_at"]
    list_select_related = ["registry"]
    search_fields = ["principal", "scope", "reason", "code"]

    @display(description="why")
    def explain_label(self, denial: Denial) -> SafeString | str:
        """A link to the page that explains it and makes a draft of what would allow it."""
        asked = question_of(denial)
        if asked is None:
            return ""
        address = f"{reverse('admin-explain:page')}?{urlencode(asked)}"
        return format_html('<a class="text-primary-600" href="{}">Explain</a>', address)


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
