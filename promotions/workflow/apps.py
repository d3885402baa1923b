from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "promotions.workflow"
    label = "promotions"
    verbose_name = "Promotions"

    def ready(self) -> None:
        from promotions.workflow.sections import PathSection
        from registries.topology.sections import register_section

        register_section(PathSection.name, PathSection)
