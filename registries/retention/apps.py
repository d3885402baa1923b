from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "registries.retention"
    label = "retention"
    verbose_name = "Cleanup"
