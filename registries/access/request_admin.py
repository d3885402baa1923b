"""What people asked for, in the admin."""

from portal.admin_site import ReadOnlyAdmin, register
from registries.access.request_models import AccessRequest


@register(AccessRequest)
class AccessRequestAdmin(ReadOnlyAdmin):
    list_display = ["requester", "registry", "pattern", "actions", "state", "ends_at", "decided_by", "created_at"]
    list_filter = ["state", "registry"]
    list_select_related = ["requester", "registry", "decided_by"]
    search_fields = ["requester__username", "pattern", "reason"]
