"""Signing keys in the admin, and the page of the keys of one registry."""

# As for every admin module: the theme has no types.
# mypy: allow-untyped-decorators, allow-subclassing-any

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.admin_site import ReadOnlyAdmin, RowPlace, display, has_role, register, row_places
from registries.access.models import SigningKey
from registries.access.signing.rotation_page import rotation_page

row_places.setdefault("topology.registry", []).append(
    RowPlace("Keys", "key", lambda row: reverse("admin:access_signingkey_rotation", args=[row.pk]))
)


@register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = [
        "registry",
        "algorithm",
        "state_label",
        "kid_label",
        "activated_at",
        "probe_outcome",
        "rotation_link",
    ]
    list_filter = ["state", "algorithm", "probe_outcome", "registry"]
    list_select_related = ["registry"]
    search_fields = ["kid", "registry__name"]
    fieldsets = [
        (None, {"fields": ["registry", "rotation_link", "algorithm", "state", "kid"]}),
        ("Life", {"fields": ["created_at", "activated_at", "replaced_at", "retired_at"]}),
        ("What the registry made of it last", {"fields": ["probed_at", "probe_outcome", "probe_text"]}),
        ("Public half", {"fields": ["certificate_pem"]}),
    ]
    readonly_fields = ["rotation_link"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer("private_pem")

    @display(
        description="state",
        label={"active": "success", "published": "info", "replaced": "info", "retired": "warning", "revoked": "danger"},
        ordering="state",
    )
    def state_label(self, key: SigningKey) -> str:
        return str(key.state)

    @display(description="exchange")
    def rotation_link(self, key: SigningKey) -> SafeString:
        address = reverse("admin:access_signingkey_rotation", args=[key.registry_id])
        return format_html('<a class="text-primary-600" href="{}">Steps</a>', address)

    @display(description="key ID", ordering="kid")
    def kid_label(self, key: SigningKey) -> SafeString:
        return format_html('<code title="{}">{}</code>', key.kid, key.kid[:14])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.rotation_view)
        return [path("registry/<int:pk>/", view, name="access_signingkey_rotation"), *super().get_urls()]

    def rotation_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Steps of the exchange of a registry's key."""
        may_act = has_role(request, "platform_admin")
        return rotation_page(request, pk, may_act, self.admin_site.each_context(request))
