from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "registries.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from portal import panels
        from registries.access import shown
        from registries.access.epoch import watch
        from registries.access.sections import NamespaceSection, RobotSection
        from registries.access.tally import flush_at_exit
        from registries.topology.sections import register_section

        watch()
        flush_at_exit()
        register_section(NamespaceSection.name, NamespaceSection)
        register_section(RobotSection.name, RobotSection)
        panels.register("inbox", shown.inbox, order=20)
