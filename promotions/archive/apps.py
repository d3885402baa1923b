from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "promotions.archive"
    label = "archive"
    verbose_name = "Archive"
