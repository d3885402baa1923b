"""A pull secret of type kubernetes.io/dockerconfigjson for a robot (Kubernetes, "Pull an Image from a Private Registry")."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from registries.access.client_files.closest import ClientRegistry, Plan
from registries.access.client_files.files import ClientFile, ClientSetup, Note
from registries.access.facts import Place
from registries.access.hard_rules import hard_verdict
from registries.access.principals import Principal

DEFAULT_SECRET_NAME = "portreeve-pull"  # noqa: S105  the name of a Kubernetes object
PLACEHOLDER = "PUT-THE-SECRET-HERE"
NOBODY_YET = "robot.NAME"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Puller:
    """Who pulls: ``login`` with its prefix; without a ``secret`` its place is left open."""

    login: str = NOBODY_YET
    secret: str = ""
    secret_name: str = DEFAULT_SECRET_NAME
    namespace: str = ""

    def __repr__(self) -> str:
        """Reports of faults print what they held, and the secret is nobody's business."""
        return f"Puller({self.login!r}, {self.secret_name!r}, {self.namespace!r})"

    @property
    def findings(self) -> Iterator[str]:
        """What Kubernetes would refuse (RFC 1123), one sentence each."""
        if self.namespace and not _LABEL.fullmatch(self.namespace):
            yield f"{self.namespace!r} is no namespace: 63 lower-case letters, digits and - at most, no - at either end."
        parts = self.secret_name.split(".")
        if len(self.secret_name) > 253 or not all(_LABEL.fullmatch(part) for part in parts):
            yield f"{self.secret_name!r} is no name of a secret: lower-case letters, digits, - and . between them."


def kubernetes_setup(plan: Plan, puller: Puller) -> ClientSetup:
    """One secret for every registry that a robot may ever pull from."""
    hosts = [one for one in plan.logins if _is_for_robots(one)]
    files = (
        (ClientFile("pull-secret.yaml", "kubectl apply", _manifest(hosts, puller), bool(puller.secret)),)
        if hosts
        else ()
    )
    return ClientSetup("kubernetes", "Kubernetes", files, tuple(_notes(files, puller, plan.location)))


def _is_for_robots(registry: ClientRegistry) -> bool:
    place = Place(0, registry.name, 0, registry.kind, registry.kind)
    return hard_verdict(Principal("robot"), place, "pull") is None


def _manifest(hosts: list[ClientRegistry], puller: Puller) -> str:
    config = json.dumps({"auths": {one.written: _login(puller) for one in hosts}}, indent=2, sort_keys=True)
    lines = [] if puller.secret else [f"# Put the secret of {puller.login} in place of {PLACEHOLDER}."]
    lines += ["apiVersion: v1", "kind: Secret", "metadata:", f"  name: {json.dumps(puller.secret_name)}"]
    if puller.namespace:
        lines.append(f"  namespace: {json.dumps(puller.namespace)}")
    lines += ["type: kubernetes.io/dockerconfigjson", "stringData:", "  .dockerconfigjson: |"]
    lines += [f"    {line}" for line in config.splitlines()]
    return "\n".join(lines) + "\n"


def _login(puller: Puller) -> dict[str, str]:
    """``auth`` is what tools read that get the secret as a file; it can be made only of a secret that is known."""
    login = {"username": puller.login, "password": puller.secret or PLACEHOLDER}
    if puller.secret:
        login["auth"] = b64encode(f"{puller.login}:{puller.secret}".encode()).decode()
    return login


def _notes(files: tuple[ClientFile, ...], puller: Puller, location: str) -> Iterator[Note]:
    if not files:
        yield Note("No registry takes logins of the portal yet, so there is no pull secret to write.")
        return
    if puller.login == NOBODY_YET:
        yield Note(
            "Put the name of a robot of kind consumer in place of NAME, and have its team given a rule that lets it pull."
        )
    if not puller.secret:
        name = puller.login.removeprefix("robot.")
        words = [
            "manage.py",
            "client_config",
            location,
            "--for",
            "kubernetes",
            "--robot",
            name,
            "--secret-file",
            "FILE",
        ]
        yield Note(
            f"The secret itself is shown once, when it is made. Put it in place of {PLACEHOLDER}, or have an operator write the file with it:",
            " ".join(word for word in words if word),
        )
    yield Note("Hand it to the cluster:", "kubectl apply -f pull-secret.yaml")
    spec = f"spec:\n  imagePullSecrets:\n    - name: {json.dumps(puller.secret_name)}\n"
    yield Note("Name it in the pod, in the same namespace, or in the pod's service account:", spec)
    yield Note("Which registry is asked first is said by the container runtime of the nodes: see containerd, or CRI-O.")
