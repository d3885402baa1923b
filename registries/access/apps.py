from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "registries.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from registries.access.sections import NamespaceSection, RobotSection
        from registries.topology.sections import register_section

        register_section(NamespaceSection.name, NamespaceSection)
        register_section(RobotSection.name, RobotSection)
