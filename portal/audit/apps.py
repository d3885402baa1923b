from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from portal import admin_site
        from portal.audit.record import record_admin_change

        if record_admin_change not in admin_site.change_listeners:
            admin_site.change_listeners.append(record_admin_change)
