from django.apps import AppConfig


class CopiesConfig(AppConfig):
    name = "registries.copies"
    label = "copies"
    verbose_name = "Copies"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import register_job
        from registries.copies.models import CopyJob
        from registries.copies.panels import digest_panel
        from registries.copies.runner import run_copy

        panels.register("digest", digest_panel, order=60)
        register_job(CopyJob, run_copy)
