"""The first scene: nine registries and the portal come up."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from portal.demo.cast import ADMIN
from portal.demo.portal_server import CHECKOUT
from portal.demo.ports import LOOPBACK
from portal.demo.registries import RegistryServer, read_config, start_registry, wait_for_registry
from portal.demo.scene_people import bring_in_people, bring_in_robots
from portal.demo.stage import Stage
from portal.demo.steps import Said

EXAMPLE = CHECKOUT / "docs" / "examples" / "topology.yaml"


def start_registries(stage: Stage) -> Said:
    """The map first, for a registry's configuration comes from its row; then a server for each."""
    entries = _describe(stage)
    configs = stage.folder / "registries"
    stage.portal.manage("registry_config", "--all", str(configs), "--version", "2.8").or_fail(
        "manage.py registry_config"
    )
    for name, entry in entries.items():
        printed = configs / name / "config.yml"
        stage.registries[name] = _start(stage, entry, printed.read_text() if entry.is_enforced else "")
    for registry in stage.registries.values():
        wait_for_registry(stage.processes, registry)
    ports = {name: registry.port for name, registry in stage.registries.items()}
    return Said(f"{len(ports)} registries answer on loopback", {"registries": ports})


def start_portal(stage: Stage) -> Said:
    """Comes up, and people and robots get their accounts and secrets."""
    stage.portal.start(stage.processes)
    bring_in_people(stage)
    bring_in_robots(stage)
    return Said(
        f"the portal answers at {stage.portal.url}; {len(stage.secrets)} secrets issued", {"url": stage.portal.url}
    )


@dataclass(frozen=True)
class _Entry:
    """One registry of the example map, at its address here."""

    name: str
    port: int
    is_enforced: bool
    fronts: str


def _describe(stage: Stage) -> dict[str, _Entry]:
    """Sets the portal up and applies the example map with our addresses."""
    topology = yaml.safe_load(EXAMPLE.read_text())
    entries: dict[str, _Entry] = {}
    for name, row in topology["registries"].items():
        entries[name] = _Entry(name, stage.ports.take(), row["reach"] == "enforced", row.get("fronts", ""))
        row["base_url"] = f"http://{LOOPBACK}:{entries[name].port}"
    # The story does not wait for days.
    topology["retention"]["sandbox-by-age"]["older_than"] = "1s"
    path = stage.folder / "topology.yaml"
    path.write_text(yaml.safe_dump(topology, sort_keys=False))
    _set_up(stage, path)
    return entries


def _set_up(stage: Stage, topology: Path) -> None:
    password = stage.passwords[ADMIN]
    setup = ["setup", "--admin", ADMIN, "--email", "admin@example.com", "--password-file", "-"]
    stage.portal.manage(*setup, given=password).or_fail("manage.py setup")
    stage.portal.manage("topology", "apply", str(topology)).or_fail("manage.py topology apply")


def _start(stage: Stage, entry: _Entry, printed: str) -> RegistryServer:
    config = read_config(printed, entry.name) if printed else None
    if config and entry.fronts:
        config["proxy"] = {"remoteurl": stage.registry(entry.fronts).url}
    return start_registry(stage.processes, stage.folder / "registries", entry.name, entry.port, config)
