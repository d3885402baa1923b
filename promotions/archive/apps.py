from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "promotions.archive"
    label = "archive"
    verbose_name = "Archive"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import follow_jobs, register_job
        from promotions.archive.intake import run_intake
        from promotions.archive.models import IntakeJob
        from promotions.archive.panels import digest_panel, leaving_panel
        from registries.copies.models import CopyJob

        register_job(IntakeJob, run_intake)
        panels.register("digest", digest_panel, order=40)
        panels.register("leaving", leaving_panel, order=20)
        follow_jobs(CopyJob, "promotions.archive.intake_due")
