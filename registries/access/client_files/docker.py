"""daemon.json of the Docker engine, and the certificates it trusts (dockerd, "Daemon configuration file")."""

import json
from collections.abc import Iterator

from registries.access.client_files.closest import Plan
from registries.access.client_files.containers import certificate_files
from registries.access.client_files.files import ClientFile, ClientSetup, Note

FOLDER = "/etc/docker"


def docker_setup(plan: Plan) -> ClientSetup:
    """Docker knows mirrors of Docker Hub alone; of everything else one writes the closest registry's own name."""
    settings = daemon_settings(plan)
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    daemon = [ClientFile("daemon.json", f"{FOLDER}/daemon.json", text)] if settings else []
    files = (*daemon, *certificate_files(plan, FOLDER))
    return ClientSetup("docker", "Docker engine", files, tuple(_notes(plan, settings, len(files) > len(daemon))))


def daemon_settings(plan: Plan) -> dict[str, list[str]]:
    """Only what has to be said."""
    mirrors = [one.address for route in plan.routes if route.original.is_hub for one in route.before_last]
    blindly = sorted(route.original.written for route in plan.routes if route.original.is_trusted_blindly)
    found = {"registry-mirrors": mirrors, "insecure-registries": blindly}
    return {name: hosts for name, hosts in found.items() if hosts}


def _notes(plan: Plan, settings: dict[str, list[str]], has_certificates: bool) -> Iterator[Note]:
    if settings:
        yield Note(
            f"Merge daemon.json into {FOLDER}/daemon.json, then have the engine read it again:",
            "systemctl reload docker",
        )
    else:
        yield Note("The engine needs no daemon.json: every registry speaks TLS, and no cache of Docker Hub is close.")
    if has_certificates:
        yield Note(f"Copy certs.d to {FOLDER}/certs.d; the engine looks there at every pull.")
    if "registry-mirrors" in settings:
        yield Note(
            "registry-mirrors counts for Docker Hub alone. Docker shows a mirror its login of Docker Hub, never one of yours: a cache "
            "that asks for a login gives it only what an access rule opens to everyone, and Docker goes on to Docker Hub for the rest."
        )
    for route in plan.detours:
        if route.closest != route.original:
            official = ", where official images are called library/NAME" if route.original.is_hub else ""
            text = f"For images of {route.original.written} write the closest name yourself{official}:"
            yield Note(text, f"docker pull {route.closest.written}/NAME:TAG")
