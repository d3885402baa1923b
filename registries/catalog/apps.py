from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "registries.catalog"
    label = "catalog"
    verbose_name = "Catalog"
