from django.apps import AppConfig


class TopologyConfig(AppConfig):
    name = "registries.topology"
    label = "topology"
    verbose_name = "Registries"

    def ready(self) -> None:
        from registries.topology import own_sections
        from registries.topology.sections import Section, register_section

        sections: tuple[type[Section], ...] = (
            own_sections.TeamSection,
            own_sections.LocationSection,
            own_sections.ZoneSection,
            own_sections.RegistrySection,
        )
        for section in sections:
            register_section(section.name, section)
