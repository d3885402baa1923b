from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "registries.retention"
    label = "retention"
    verbose_name = "Cleanup"

    def ready(self) -> None:
        from registries.retention.sections import RetentionSection
        from registries.topology.sections import register_section

        register_section(RetentionSection.name, RetentionSection)
