"""Incidents in the admin. They are accepted on their page in the web portal, where the reason is asked for."""

from portal.admin_site import ReadOnlyAdmin, display, register
from registries.sentinel.models import Incident

COLOURS = {"open": "warning", "accepted": "info", "resolved": "success"}


@register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = [
        "place_label",
        "registry",
        "kind",
        "state_label",
        "detail",
        "found_at",
        "accepted_by",
        "resolved_at",
    ]
    list_filter = ["state", "kind", "registry", "found_at"]
    list_select_related = ["registry", "accepted_by"]
    search_fields = ["repository", "tag", "detail", "reason"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["kind", "registry", "repository", "tag", "digest", "detail", "rule"]}),
        ("What became of it", {"fields": ["state", "found_at", "accepted_by", "accepted_at", "reason", "resolved_at"]}),
    ]

    @display(description="what", ordering="repository")
    def place_label(self, incident: Incident) -> str:
        return f"{incident.repository}:{incident.tag}" if incident.tag else incident.repository

    @display(description="state", label=COLOURS, ordering="state")
    def state_label(self, incident: Incident) -> str:
        return str(incident.state)
