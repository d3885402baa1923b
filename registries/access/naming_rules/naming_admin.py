"""Naming rules of CI zones in the admin."""

from portal.admin_site import ModelAdmin, display, register
from registries.access.naming_rules.naming_models import NamingRule


@register(NamingRule)
class NamingRuleAdmin(ModelAdmin):
    list_display = ["zone", "subject", "pattern", "names_label", "is_enabled", "reason"]
    list_filter = ["zone", "subject", "is_enabled"]
    list_select_related = ["zone"]
    search_fields = ["pattern", "reason"]
    fieldsets = [
        (
            None,
            {
                "fields": ["zone", "subject", "pattern", "is_enabled"],
                "description": "Save it switched off first: its page in the portal then shows which names of the catalog "
                "would not fit, and switches it on.",
            },
        ),
        ("How names have to look", {"fields": ["names", "reason"]}),
    ]

    @display(description="one of")
    def names_label(self, rule: NamingRule) -> str:
        return ", ".join(rule.names)
