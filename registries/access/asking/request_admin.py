"""What people asked for, in the admin."""

from portal.admin_site import ReadOnlyAdmin, register
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import whom


@register(AccessRequest)
class AccessRequestAdmin(ReadOnlyAdmin):
    """Looked at here; decided on its page in the web portal, to which "view on site" leads."""

    list_display = [
        "requester",
        "for_whom",
        "registry",
        "pattern",
        "actions",
        "state",
        "ends_at",
        "decided_by",
        "created_at",
    ]
    list_filter = ["state", "registry"]
    list_select_related = ["requester", "registry", "decided_by", "team", "robot"]
    search_fields = ["requester__username", "team__name", "robot__name", "pattern", "reason"]

    def for_whom(self, request: AccessRequest) -> str:
        return whom(request)
