from django.apps import AppConfig


class ReplicationConfig(AppConfig):
    name = "promotions.replication"
    label = "replication"
    verbose_name = "Replication"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import follow_jobs
        from promotions.replication.panels import digest_panel
        from promotions.replication.sections import ReplicationSection
        from registries.copies.models import CopyJob
        from registries.topology.sections import register_section

        register_section(ReplicationSection.name, ReplicationSection)
        panels.register("digest", digest_panel, order=20)
        follow_jobs(CopyJob, "promotions.replication.reconcile")
