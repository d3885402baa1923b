from django.apps import AppConfig


class ReplicationConfig(AppConfig):
    name = "promotions.replication"
    label = "replication"
    verbose_name = "Replication"
