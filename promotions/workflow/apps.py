from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "promotions.workflow"
    label = "promotions"
    verbose_name = "Promotions"
