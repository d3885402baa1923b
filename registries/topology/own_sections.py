"""The sections of a topology file that speak of teams, zones, locations and registries."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db.models import Model

from portal.actor import Actor
from portal.users.models import Team
from registries.topology.defaults import CONCERNS, POSITIONS, ZONE_DEFAULTS
from registries.topology.models import Credential, Location, Reach, Registry, Zone, ZoneDefault, ZoneKind
from registries.topology.sections import Field, Values

M = TypeVar("M", bound=Model)
TEXT = Field(str, "")


def save_valid(row: M, values: Mapping[str, Any]) -> M:
    """Set fields, validate the whole row, save it. Raises ValidationError."""
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
    return row


def named(model: type[M], name: str, field: str) -> M | None:
    """The row of that name, None for an empty name; raises ValidationError on an unknown one."""
    if not name:
        return None
    row = model._default_manager.filter(name=name).first()
    if row is None:
        raise ValidationError({field: f"There is no {model._meta.verbose_name} named {name}."})
    return row


class TeamSection:
    """``teams``: who owns things."""

    name = "teams"
    fields: Mapping[str, Field] = {"title": TEXT, "contact": TEXT, "external_group": TEXT}

    def complete(self, key: str, values: Values) -> Values:
        return values

    def rank(self, values: Values) -> int:
        return 0

    def current(self) -> dict[str, Values]:
        return {
            team.name: {"title": team.title, "contact": team.contact, "external_group": team.external_group}
            for team in Team.objects.all()
        }

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        save_valid(Team.objects.filter(name=key).first() or Team(name=key), values)


class LocationSection:
    """``locations``: where things stand."""

    name = "locations"
    fields: Mapping[str, Field] = {"title": TEXT}

    def complete(self, key: str, values: Values) -> Values:
        return values

    def rank(self, values: Values) -> int:
        return 0

    def current(self) -> dict[str, Values]:
        return {location.name: {"title": location.title} for location in Location.objects.all()}

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        save_valid(Location.objects.filter(name=key).first() or Location(name=key), values)


class ZoneSection:
    """``zones``: trust levels with their defaults, written as ``everyone pull`` or ``ci push``."""

    name = "zones"
    fields: Mapping[str, Field] = {
        "kind": Field(str, is_required=True, choices=ZoneKind.values),
        "title": TEXT,
        "concern": Field(str),
        "position": Field(int),
        "defaults": Field(list),
    }

    def complete(self, key: str, values: Values) -> Values:
        kind = values["kind"]
        filled = {"concern": CONCERNS[kind], "position": POSITIONS[kind], "defaults": list(ZONE_DEFAULTS[kind])}
        values = {name: filled.get(name) if value is None else value for name, value in values.items()}
        values["defaults"] = sorted(self._checked(line) for line in values["defaults"])
        return values

    def _checked(self, line: Any) -> str:
        words = str(line).split()
        if len(words) != 2 or words[0] not in ZoneDefault.Audience.values or words[1] not in ZoneDefault.Action.values:
            raise ValueError(
                f"{line!r} is no default; write one of {', '.join(ZoneDefault.Audience.values)} "
                f"and one of {', '.join(ZoneDefault.Action.values)}, for example: everyone pull."
            )
        return " ".join(words)

    def rank(self, values: Values) -> int:
        return 0

    def current(self) -> dict[str, Values]:
        return {
            zone.name: {
                "kind": zone.kind,
                "title": zone.title,
                "concern": zone.concern,
                "position": zone.position,
                "defaults": sorted(f"{row.audience} {row.action}" for row in zone.defaults.all()),
            }
            for zone in Zone.objects.prefetch_related("defaults")
        }

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        plain = {name: value for name, value in values.items() if name != "defaults"}
        zone = save_valid(Zone.objects.filter(name=key).first() or Zone(name=key), plain)
        wanted = [tuple(line.split()) for line in values["defaults"]]
        for row in zone.defaults.all():
            if (row.audience, row.action) not in wanted:
                row.delete()
        for audience, action in wanted:
            ZoneDefault.objects.get_or_create(zone=zone, audience=audience, action=action)


class RegistrySection:
    """``registries``: the servers. ``host`` and ``service`` follow from ``base_url`` unless given; the secret comes from a file."""

    name = "registries"
    fields: Mapping[str, Field] = {
        "title": TEXT,
        "zone": Field(str, is_required=True),
        "location": TEXT,
        "product": Field(str, "distribution"),
        "base_url": Field(str, is_required=True),
        "host": Field(str),
        "service": Field(str),
        "reach": Field(str, Reach.OBSERVED.value, choices=Reach.values),
        "primary": TEXT,
        "fronts": TEXT,
        "owner": TEXT,
        "contact": TEXT,
        "availability_target": Field((int, float, str)),
        "verify_tls": Field(bool, True),
        "token_algorithm": Field(str, "ES256", choices=["ES256", "RS256"]),
        "sync": Field(bool, True),
        "retention": Field(bool, False),
        "replication": Field(bool, False),
        "username": TEXT,
        "secret_file": TEXT,
    }
    _switches = {
        "sync": "is_sync_enabled",
        "retention": "is_retention_enabled",
        "replication": "is_replication_enabled",
    }
    _plain = ("title", "product", "base_url", "host", "service", "reach", "contact", "verify_tls", "token_algorithm")

    def complete(self, key: str, values: Values) -> Values:
        netloc = urlsplit(values["base_url"]).netloc
        values["base_url"] = values["base_url"].rstrip("/")
        values["host"] = values["host"] or netloc
        values["service"] = values["service"] or values["host"]
        values["availability_target"] = self._percentage(values["availability_target"])
        if values["secret_file"] and not values["username"]:
            raise ValueError("secret_file needs a username beside it.")
        if values["secret_file"] and self._is_stored(key, values):
            values["secret_file"] = ""
        return values

    def _is_stored(self, key: str, values: Values) -> bool:
        """Whether the file holds what we keep already: then there is nothing to plan."""
        known = Credential.objects.filter(registry__name=key, username=values["username"]).first()
        return self._secret(values["secret_file"]) == (known.secret if known else None)

    def _secret(self, path: str) -> str:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ValueError(f"secret_file names {path}, which cannot be read: {error.strerror}.") from error

    def rank(self, values: Values) -> int:
        return int(bool(values["primary"] or values["fronts"]))

    def _percentage(self, value: Any) -> str | None:
        if value is None:
            return None
        try:
            return f"{Decimal(str(value)):.3f}".rstrip("0").rstrip(".")
        except InvalidOperation as error:
            raise ValueError(f"availability_target is {value!r}; expected a percentage such as 99.9.") from error

    def current(self) -> dict[str, Values]:
        rows = Registry.objects.select_related("zone", "location", "primary", "fronts", "owner", "credential")
        return {row.name: self._describe(row) for row in rows}

    def _describe(self, row: Registry) -> Values:
        values: Values = {name: getattr(row, name) for name in self._plain}
        values |= {name: getattr(row, field) for name, field in self._switches.items()}
        for name in ("zone", "location", "primary", "fronts", "owner"):
            linked = getattr(row, name)
            values[name] = linked.name if linked else ""
        values["availability_target"] = self._percentage(row.availability_target)
        credential = getattr(row, "credential", None)
        values["username"] = credential.username if credential else ""
        values["secret_file"] = ""
        return {name: values[name] for name in self.fields}

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        row = Registry.objects.filter(name=key).first() or Registry(name=key)
        target = values["availability_target"]
        save_valid(
            row,
            {name: values[name] for name in self._plain}
            | {field: values[name] for name, field in self._switches.items()}
            | {
                "zone": named(Zone, values["zone"], "zone"),
                "location": named(Location, values["location"], "location"),
                "primary": named(Registry, values["primary"], "primary"),
                "fronts": named(Registry, values["fronts"], "fronts"),
                "owner": named(Team, values["owner"], "owner"),
                "availability_target": Decimal(target) if target else None,
            },
        )
        if values["secret_file"]:
            secret = self._secret(values["secret_file"])
            Credential.objects.update_or_create(
                registry=row, defaults={"username": values["username"], "secret": secret}
            )
