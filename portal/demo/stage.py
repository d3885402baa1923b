"""What do the steps of the story share? The folder, the servers, and what earlier steps have learnt."""

from dataclasses import dataclass, field
from pathlib import Path

from portal.demo.content import Layout
from portal.demo.docker import Docker
from portal.demo.errors import DemoError
from portal.demo.portal_server import CHECKOUT, PortalServer
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.registries import RegistryServer
from portal.demo.report import Report
from portal.demo.skopeo import Skopeo
from portal.demo.visitor import ApiUser, Visitor

# Fetched content, kept between runs. Everything else is in the folder of the run.
CACHE = CHECKOUT / "var" / "cache"


@dataclass
class Stage:
    """Filled as the story goes; a step may rely on what the steps before it have put here."""

    folder: Path
    ports: Ports
    processes: Processes
    report: Report
    portal: PortalServer
    registries: dict[str, RegistryServer] = field(default_factory=dict)
    # Who takes part: sign-in passwords of people, and secrets that registries and the API take, by login.
    passwords: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    image: Layout | None = None
    # Values that a later step needs, by name: digests, numbers of requests.
    found: dict[str, str] = field(default_factory=dict)
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    def registry(self, name: str) -> RegistryServer:
        return self.registries[name]

    def visitor(self, name: str) -> Visitor:
        """A person, signed in at the portal."""
        if name not in self._visitors:
            visitor = Visitor(self.portal.url, name)
            visitor.sign_in(self.passwords[name])
            self._visitors[name] = visitor
        return self._visitors[name]

    def api(self, name: str) -> ApiUser:
        """The API with somebody's secret."""
        return ApiUser(self.portal.url, self.secrets[name])

    def docker(self, name: str) -> Docker:
        """Somebody's docker command line, with their own logins."""
        return Docker.for_person(self.folder / "people" / name / "docker")

    def skopeo(self, name: str) -> Skopeo:
        """skopeo with the logins that this person's docker has made."""
        return Skopeo(self.docker(name).authfile)

    def log_in(self, who: str, name: str) -> None:
        """``docker login`` of somebody at a registry, once."""
        host, docker = self.registry(name).host, self.docker(who)
        if host not in docker.hosts():
            docker.login(host, who, self.secrets[who]).or_fail(f"docker login of {who} at {name}")

    def built_image(self) -> Layout:
        if self.image is None:
            raise DemoError("The image was not built; the step that pushes to sandbox builds it.")
        return self.image
