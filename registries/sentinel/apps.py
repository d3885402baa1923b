from django.apps import AppConfig


class SentinelConfig(AppConfig):
    name = "registries.sentinel"
    label = "sentinel"
    verbose_name = "Sentinel"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import follow_jobs
        from registries.catalog.models import SyncJob
        from registries.sentinel.panels import attention_panel, repository_panel

        panels.register("attention", attention_panel, order=40)
        panels.register("repository", repository_panel, order=40)
        follow_jobs(SyncJob, "registries.sentinel.look")
