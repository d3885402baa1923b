"""The sections of a topology file that speak of namespaces and robot accounts."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from portal.actor import Actor
from portal.users.models import Team
from registries.access.models import Namespace, RobotAccount
from registries.access.naming_rules.namespaces import claim_namespace, hand_over_namespace
from registries.access.robots import may_apply
from registries.topology.models import Zone
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values


class NamespaceSection(RowSection):
    """``namespaces``: ``zone/prefix`` and the team that owns it. Another team there is a handing over."""

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

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        zone, _, prefix = key.partition("/")
        place = Zone.objects.filter(name=zone).first()
        if place is None:
            raise ValidationError({"zone": f"There is no zone named {zone}."})
        team = Team.objects.filter(name=values["team"]).first()
        if team is None:
            raise ValidationError({"team": f"There is no team named {values['team']}."})
        held = Namespace.objects.filter(zone=place, prefix=prefix).first()
        if held is None:
            claim_namespace(actor, place, prefix, team)
        else:
            hand_over_namespace(actor, held, team)


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
