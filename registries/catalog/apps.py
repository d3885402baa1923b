from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "registries.catalog"
    label = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import register_job
        from registries.catalog.handler import run_sync
        from registries.catalog.models import SyncJob
        from registries.catalog.panels import attention_panel

        panels.register("attention", attention_panel)
        register_job(SyncJob, run_sync)
