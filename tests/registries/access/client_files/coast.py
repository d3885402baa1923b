"""The nine registries of the sample map as clients meet them, and changes to them."""

from dataclasses import replace
from typing import Any

from registries.access.client_files.closest import ClientRegistry, Plan, plan_routes
from tests.portal.web.sample_map import REGISTRIES, ZONES

_KINDS = {zone.name: zone.kind for zone in ZONES}

NINE = tuple(
    ClientRegistry(
        row.name,
        f"{row.name}.example",
        _KINDS[row.zone],
        row.location,
        row.reach,
        row.primary,
        row.fronts,
        is_following=bool(row.primary),
    )
    for row in REGISTRIES
)


def coast(**changes: dict[str, Any]) -> tuple[ClientRegistry, ...]:
    """The nine, some of them changed: ``coast(hub={"host": "docker.io"})``. A new name is a new registry."""
    known = {row.name: row for row in NINE}
    names = {name.replace("_", "-"): fields for name, fields in changes.items()}
    added = tuple(ClientRegistry(name, **fields) for name, fields in names.items() if name not in known)
    return (*(replace(row, **names.get(row.name, {})) for row in NINE), *added)


def tried(plan: Plan) -> dict[str, list[str]]:
    """Registry -> who is asked, in order."""
    return {route.original.name: [one.name for one in route.tried] for route in plan.routes}


def planned(location: str, **changes: dict[str, Any]) -> Plan:
    return plan_routes(coast(**changes), location)
