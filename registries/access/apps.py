from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "registries.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from portal import panels
        from portal.jobs.kinds import register_job
        from registries.access.asking import shown
        from registries.access.counts.tally import flush_at_exit
        from registries.access.drafting.trial_models import DraftTrial
        from registries.access.drafting.trials import run_trial
        from registries.access.epoch import watch
        from registries.access.panels import attention_panel, inbox_panel
        from registries.access.sections import NamespaceSection, RobotSection
        from registries.access.signing.key_panel import revoked_panel
        from registries.topology.sections import register_section

        watch()
        panels.register("attention", revoked_panel)
        flush_at_exit()
        panels.register("inbox", inbox_panel, order=20)
        panels.register("attention", attention_panel, order=20)
        register_job(DraftTrial, run_trial)
        register_section(NamespaceSection.name, NamespaceSection)
        register_section(RobotSection.name, RobotSection)
        panels.register("inbox", shown.inbox, order=20)
