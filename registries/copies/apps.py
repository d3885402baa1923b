from django.apps import AppConfig


class CopiesConfig(AppConfig):
    name = "registries.copies"
    label = "copies"
    verbose_name = "Copies"

    def ready(self) -> None:
        from portal.jobs.kinds import register_job
        from registries.copies.models import CopyJob
        from registries.copies.runner import run_copy

        register_job(CopyJob, run_copy)
