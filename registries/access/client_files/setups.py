"""All clients in one list, for the faces."""

from collections.abc import Iterable

from registries.access.client_files.closest import Plan
from registries.access.client_files.containerd import containerd_setup
from registries.access.client_files.containers import containers_setup
from registries.access.client_files.docker import docker_setup
from registries.access.client_files.files import ClientFile, ClientSetup
from registries.access.client_files.kubernetes import Puller, kubernetes_setup

CLIENTS = ("docker", "podman", "containerd", "kubernetes")


def setup_for(client: str, plan: Plan, puller: Puller) -> ClientSetup:
    """For one of CLIENTS."""
    if client == "kubernetes":
        return kubernetes_setup(plan, puller)
    writers = {"docker": docker_setup, "podman": containers_setup, "containerd": containerd_setup}
    return writers[client](plan)


def setups_for(client: str, plan: Plan, puller: Puller) -> list[ClientSetup]:
    """For one of CLIENTS, or ``all`` of them."""
    return [setup_for(name, plan, puller) for name in CLIENTS if client in (name, "all")]


def files_by_path(setups: Iterable[ClientSetup]) -> dict[str, ClientFile]:
    """Each file once, sorted: what two clients share is the same text at the same place."""
    found = {file.path: file for setup in setups for file in setup.files}
    return dict(sorted(found.items()))
