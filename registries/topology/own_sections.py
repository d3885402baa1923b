"""The sections of a topology file that speak of teams, zones, locations and registries."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.db.models import Model

from portal.actor import Actor
from portal.users.models import Team
from portal.vault import UndecryptableError
from registries.topology.credentials import keep_credential
from registries.topology.defaults import CONCERNS, POSITIONS, ZONE_DEFAULTS
from registries.topology.models import Credential, Location, Reach, Registry, Zone, ZoneDefault, ZoneKind
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values

TEXT = Field(str, "")


class TeamSection(RowSection):
    """``teams``: who owns things."""

    name = "teams"
    model = Team
    fields: Mapping[str, Field] = {"title": TEXT, "contact": TEXT, "external_group": TEXT}


class LocationSection(RowSection):
    """``locations``: where things stand."""

    name = "locations"
    model = Location
    fields: Mapping[str, Field] = {"title": TEXT}


class ZoneSection(RowSection):
    """``zones``: trust levels with their defaults, written as ``everyone pull`` or ``ci push``."""

    name = "zones"
    model = Zone
    fields: Mapping[str, Field] = {
        "kind": Field(str, is_required=True, choices=ZoneKind.values),
        "title": TEXT,
        "concern": Field(str),
        "position": Field(int),
        "requires_keyless": Field(bool, False),
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

    def read(self, row: Any, name: str) -> Any:
        if name == "defaults":
            return sorted(f"{default.audience} {default.action}" for default in row.defaults.all())
        return super().read(row, name)

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        super().apply(actor, key, {name: value for name, value in values.items() if name != "defaults"})
        zone = Zone.objects.get(name=key)
        wanted = [tuple(line.split()) for line in values["defaults"]]
        for row in zone.defaults.all():
            if (row.audience, row.action) not in wanted:
                row.delete()
        for audience, action in wanted:
            ZoneDefault.objects.get_or_create(zone=zone, audience=audience, action=action)


class RegistrySection(RowSection):
    """``registries``: the servers. ``host`` and ``service`` follow from ``base_url`` unless given; the secret comes from a file."""

    name = "registries"
    model = Registry
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
        "ca_bundle": TEXT,
        "token_algorithm": Field(str, "ES256", choices=["ES256", "RS256"]),
        "sync": Field(bool, True),
        "retention": Field(bool, False),
        "replication": Field(bool, False),
        "username": TEXT,
        "secret_file": TEXT,
    }
    links: ClassVar[Mapping[str, type[Model]]] = {
        "zone": Zone,
        "location": Location,
        "primary": Registry,
        "fronts": Registry,
        "owner": Team,
    }
    columns: ClassVar[Mapping[str, str]] = {
        "sync": "is_sync_enabled",
        "retention": "is_retention_enabled",
        "replication": "is_replication_enabled",
    }

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
        wanted = self._secret(values["secret_file"])
        try:
            known = Credential.objects.filter(registry__name=key, username=values["username"]).first()
        except UndecryptableError:
            return False
        return known is not None and known.secret == wanted

    def _secret(self, path: str) -> str:
        try:
            secret = Path(path).read_text().strip()
        except OSError as error:
            raise ValueError(f"secret_file names {path}, which cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"secret_file names {path}, which is no text.") from error
        if not secret:
            raise ValueError(f"secret_file names {path}, which is empty.")
        return secret

    def rank(self, values: Values) -> int:
        """A cache may front a replica, and a replica follows a primary."""
        return 2 if values["fronts"] else int(bool(values["primary"]))

    def _percentage(self, value: Any) -> str | None:
        if value is None:
            return None
        try:
            return f"{Decimal(str(value)):.3f}".rstrip("0").rstrip(".")
        except InvalidOperation as error:
            raise ValueError(f"availability_target is {value!r}; expected a percentage such as 99.9.") from error

    def read(self, row: Any, name: str) -> Any:
        if name == "availability_target":
            return self._percentage(row.availability_target)
        if name == "username":
            return Credential.objects.filter(registry=row).values_list("username", flat=True).first() or ""
        return "" if name == "secret_file" else super().read(row, name)

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        values = dict(values)
        username, path = values.pop("username"), values.pop("secret_file")
        target = values["availability_target"]
        super().apply(actor, key, values | {"availability_target": Decimal(target) if target else None})
        keep_credential(Registry.objects.get(name=key), username, self._secret(path) if path else "")
