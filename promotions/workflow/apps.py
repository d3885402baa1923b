from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "promotions.workflow"
    label = "promotions"
    verbose_name = "Promotions"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import follow_jobs, register_job
        from promotions.workflow import shown
        from promotions.workflow.execute import run_execution
        from promotions.workflow.models import Execution
        from promotions.workflow.sections import PathSection
        from registries.copies.models import CopyJob
        from registries.topology.sections import register_section

        register_job(Execution, run_execution)
        panels.register("digest", shown.of_digest, order=30)
        panels.register("attention", shown.attention, order=30)
        panels.register("inbox", shown.inbox, order=10)
        panels.register("leaving", shown.of_leaver, order=10)
        register_section(PathSection.name, PathSection)
        follow_jobs(CopyJob, "promotions.workflow.advance")
