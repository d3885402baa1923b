from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "registries.retention"
    label = "retention"
    verbose_name = "Cleanup"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import register_job
        from registries.retention.handler import run_cleanup
        from registries.retention.models import CleanupJob
        from registries.retention.panels import tag_panel
        from registries.retention.sections import RetentionSection
        from registries.topology.sections import register_section

        panels.register("tag", tag_panel)
        register_job(CleanupJob, run_cleanup)
        register_section(RetentionSection.name, RetentionSection)
