"""The map as rows: zones, locations, registries, their health and our credentials there."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, PasswordWidget, ReadOnlyAdmin, TabularInline, action, display, register
from registries.adapters import ADAPTERS
from registries.topology.health import probe_all
from registries.topology.models import Credential, Location, Registry, RegistryHealth, Zone, ZoneDefault

HEALTH_COLOURS = {"well": "success", "attention": "warning", "broken": "danger", "unknown": "info"}


class ZoneDefaultInline(TabularInline):
    model = ZoneDefault


@register(Zone)
class ZoneAdmin(ModelAdmin):
    list_display = ["name", "kind", "concern", "position"]
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
        credential = Credential.objects.filter(registry=self.instance.pk).first() if self.instance.pk else None
        self.fields["username"].initial = credential.username if credential else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_secret") and not cleaned.get("username"):
            self.add_error("username", "A secret needs a user name beside it.")
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
        username, secret = form.cleaned_data["username"], form.cleaned_data["new_secret"]
        known = Credential.objects.filter(registry=obj).first()
        if secret:
            Credential.objects.update_or_create(registry=obj, defaults={"username": username, "secret": secret})
        elif known and not username:
            known.delete()

    @action(description="Ask now whether it is well", permissions=["view"])
    def probe_selected(self, request: HttpRequest, queryset: QuerySet[Registry]) -> None:
        messages.info(request, f"Asked {probe_all(queryset)} registries.")


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
