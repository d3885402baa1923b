"""The record, to be read."""

from portal.admin_site import ReadOnlyAdmin, register
from portal.audit.models import AuditCheckpoint, AuditEvent, AuditSeal


@register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "verb", "object_name", "object_label"]
    list_filter = ["actor_kind", "object_label"]
    search_fields = ["verb", "actor_name", "object_name", "object_key"]
    date_hierarchy = None


@register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "event_id", "hash", "sealed_at"]


@register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "hash", "key_id", "signed_at"]
