"""The section of a topology file that speaks of replication."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Model

from portal.actor import Actor
from promotions.replication.models import ReplicationRule
from promotions.replication.rules import set_rule
from registries.topology.models import Registry
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values


class ReplicationSection(RowSection):
    """``replication``: what of a source follows to a target."""

    name = "replication"
    model = ReplicationRule
    fields: Mapping[str, Field] = {
        "source": Field(str, is_required=True),
        "target": Field(str, is_required=True),
        "repositories": Field(str, "**"),
        "tags": Field(str, "*"),
        "enabled": Field(bool, True),
    }
    links: ClassVar[Mapping[str, type[Model]]] = {"source": Registry, "target": Registry}
    columns: ClassVar[Mapping[str, str]] = {
        "repositories": "repository_glob",
        "tags": "tag_glob",
        "enabled": "is_enabled",
    }

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        """By the operation: after a change every repository has to be looked at anew."""
        set_rule(actor, key, **self.columns_of(values))
