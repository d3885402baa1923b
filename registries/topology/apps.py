from django.apps import AppConfig


class TopologyConfig(AppConfig):
    name = "registries.topology"
    label = "topology"
    verbose_name = "Registries"
