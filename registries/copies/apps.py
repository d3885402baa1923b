from django.apps import AppConfig


class CopiesConfig(AppConfig):
    name = "registries.copies"
    label = "copies"
    verbose_name = "Copies"
