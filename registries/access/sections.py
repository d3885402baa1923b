"""The sections of a topology file that speak of namespaces and robot accounts."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from portal.actor import Actor
from portal.users.models import Team
from registries.access.models import Namespace, RobotAccount
from registries.access.robots import may_apply
from registries.topology.models import Zone
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values


class NamespaceSection(RowSection):
    """``namespaces``: ``zone/prefix`` and the team that owns it."""

    name = "namespaces"
    model = Namespace
    fields: Mapping[str, Field] = {"team": Field(str, is_required=True)}
    links: ClassVar[Mapping[str, type[Model]]] = {"team": Team}

    def complete(self, key: str, values: Values) -> Values:
        if "/" not in key:
            raise ValueError("write the zone, a slash and the prefix, for example ci-snapshots/payments.")
        return values

    def key_of(self, row: Any) -> str:
        return f"{row.zone.name}/{row.prefix}"

    def current(self) -> dict[str, Values]:
        rows = Namespace.objects.select_related("zone", "team")
        return {self.key_of(row): {"team": row.team.name} for row in rows}

    def find(self, key: str) -> Model | None:
        zone, _, prefix = key.partition("/")
        return Namespace.objects.filter(zone__name=zone, prefix=prefix).first()

    def blank(self, key: str) -> Model:
        zone, _, prefix = key.partition("/")
        row = Zone.objects.filter(name=zone).first()
        if row is None:
            raise ValidationError({"zone": f"There is no zone named {zone}."})
        return Namespace(zone=row, prefix=prefix)


class RobotSection(RowSection):
    """``robots``: accounts for machines. Their secrets are issued in the admin and shown once."""

    name = "robots"
    model = RobotAccount
    fields: Mapping[str, Field] = {
        "kind": Field(str, RobotAccount.Kind.CONSUMER.value, choices=RobotAccount.Kind.values),
        "team": Field(str, is_required=True),
        "description": Field(str, ""),
    }
    links: ClassVar[Mapping[str, type[Model]]] = {"team": Team}

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        """From the command line by whoever runs the portal; of people only by platform admins."""
        if not may_apply(actor):
            raise ValidationError({"kind": "Robots in a file are made by platform admins."})
        super().apply(actor, key, values)
