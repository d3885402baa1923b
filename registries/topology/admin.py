"""The map as rows: zones, locations, registries, their health and our credentials there."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, PasswordWidget, ReadOnlyAdmin, TabularInline, action, display, register
from registries.adapters import ADAPTERS
from registries.topology.credentials import keep_credential
from registries.topology.health import probe_soon
from registries.topology.models import Credential, Location, Registry, RegistryHealth, Zone, ZoneDefault

HEALTH_COLOURS = {"well": "success", "attention": "warning", "broken": "danger", "unknown": "info"}


class ZoneDefaultInline(TabularInline):
    model = ZoneDefault


@register(Zone)
class ZoneAdmin(ModelAdmin):
    list_display = ["name", "kind", "concern", "requires_keyless", "position"]
    list_filter = ["kind"]
    search_fields = ["name", "title"]
    inlines = [ZoneDefaultInline]


@register(Location)
class LocationAdmin(ModelAdmin):
    list_display = ["name", "title"]
    search_fields = ["name", "title"]


class RegistryForm(forms.ModelForm[Registry]):
    """A registry and, in the same form, the credential we use there; its secret is written and never read back."""

    product = forms.ChoiceField(choices=[(name, name) for name in sorted(ADAPTERS)])
    username = forms.CharField(required=False, help_text="Only where the registry does not trust our tokens.")
    new_secret = forms.CharField(
        required=False, widget=PasswordWidget(), help_text="Leave empty to keep the present secret."
    )

    class Meta:
        model = Registry
        fields = "__all__"  # noqa: DJ007 - the page lists its fields itself

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Credential.objects.filter(registry=self.instance.pk).values_list("username", flat=True)
        self.fields["username"].initial = names.first() or ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        username, secret = cleaned.get("username"), cleaned.get("new_secret")
        if secret and not username:
            self.add_error("username", "A secret needs a user name beside it.")
        if username and not secret and not Credential.objects.filter(registry=self.instance.pk).exists():
            self.add_error("new_secret", "A user name needs a secret beside it.")
        if username and not secret and "base_url" in self.changed_data and self.initial.get("base_url"):
            text = "The kept secret was given for another address and is sent to no other; give it again for this one."
            self.add_error("new_secret", text)
        return cleaned


@register(Registry)
class RegistryAdmin(ModelAdmin):
    form = RegistryForm
    list_display = ["name", "zone", "location", "product", "reach", "health_label", "owner", "role_label"]
    list_filter = ["zone", "location", "reach", "product", "health__state"]
    list_select_related = ["zone", "location", "owner", "health"]
    search_fields = ["name", "title", "host"]
    autocomplete_fields = ["zone", "location", "owner", "primary", "fronts"]
    readonly_fields = ["created_at", "baseline_accepted_at"]
    actions = ["probe_selected"]
    fieldsets = [
        (None, {"fields": ["name", "title", "zone", "location", "product"]}),
        ("Address", {"fields": ["base_url", "host", "service", "verify_tls", "ca_bundle"]}),
        ("Reach", {"fields": ["reach", "token_algorithm", "username", "new_secret"]}),
        ("Relations", {"fields": ["primary", "fronts"]}),
        ("Responsibility", {"fields": ["owner", "contact", "availability_target"]}),
        (
            "What runs here",
            {"fields": ["is_sync_enabled", "is_retention_enabled", "is_replication_enabled", "baseline_accepted_at"]},
        ),
    ]

    @display(description="health", label=HEALTH_COLOURS, ordering="health__state")
    def health_label(self, registry: Registry) -> str:
        health = getattr(registry, "health", None)
        return str(health.state) if health else "unknown"

    @display(description="role")
    def role_label(self, registry: Registry) -> str:
        return registry.role

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        keep_credential(obj, form.cleaned_data["username"], form.cleaned_data["new_secret"])

    @action(description="Ask now whether it is well", permissions=["change"])
    def probe_selected(self, request: HttpRequest, queryset: QuerySet[Registry]) -> None:
        messages.info(request, f"{probe_soon(queryset)} registries will be asked in a moment.")


@register(RegistryHealth)
class RegistryHealthAdmin(ReadOnlyAdmin):
    list_display = ["registry", "state", "message", "latency_ms", "since", "checked_at"]
    list_filter = ["state"]
    list_select_related = ["registry"]


@register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    list_display = ["registry", "username", "expires_at", "changed_at"]
    list_select_related = ["registry"]
    fields = ["registry", "username", "expires_at", "changed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        # Never shown, and a secret whose key is gone must not hide the others.
        rows: QuerySet[Credential] = super().get_queryset(request)
        return rows.defer("secret")
