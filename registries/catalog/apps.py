from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "registries.catalog"
    label = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from portal.jobs.kinds import register_job
        from registries.catalog.handler import run_sync
        from registries.catalog.models import SyncJob

        register_job(SyncJob, run_sync)
