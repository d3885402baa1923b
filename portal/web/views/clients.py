"""How do I set up my client, so that it pulls from what is closest to me?"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header

from portal.users.models import User
from portal.web.asked import asked
from portal.web.clients import content_type, login_lines, zipped
from portal.web.viewer import for_people
from registries.access.client_files.closest import Plan, plan_routes
from registries.access.client_files.files import ClientSetup
from registries.access.client_files.kubernetes import NOBODY_YET, Puller
from registries.access.client_files.rows import client_registries, location_names
from registries.access.client_files.setups import CLIENTS, setup_for
from registries.access.models import RobotAccount
from registries.access.queries import live_tokens
from registries.topology.models import Reach, Registry

TITLES = {
    "docker": "Docker",
    "podman": "podman, skopeo, buildah",
    "containerd": "containerd",
    "kubernetes": "Kubernetes",
}


@dataclass(frozen=True)
class Choice:
    """What the address asks for. What there is not counts as not asked, so that old addresses go on opening."""

    location: str
    registry: str
    client: str
    robot: str

    def query(self, **changes: str) -> str:
        """The same choice as an address, with changes."""
        asked = {
            "location": self.location,
            "registry": self.registry,
            "for": self.client,
            "robot": self.robot,
            **changes,
        }
        return urlencode({name: value for name, value in asked.items() if value})

    def setup(self) -> tuple[Plan, ClientSetup]:
        plan = plan_routes(client_registries(), self.location)
        if self.registry:
            plan = plan.about(self.registry)
        login = f"robot.{self.robot}" if self.robot else NOBODY_YET
        return plan, setup_for(self.client, plan, Puller(login))


def _choice(request: HttpRequest, robots: list[str]) -> Choice:
    location, registry, client, robot = (asked(request, name) for name in ("location", "registry", "for", "robot"))
    return Choice(
        location if location in location_names() else "",
        registry if Registry.objects.filter(name=registry).exists() else "",
        client if client in CLIENTS else CLIENTS[0],
        robot if robot in robots else robots[0] if robots and client == "kubernetes" else "",
    )


def _robots(user: User) -> list[str]:
    """Those of one's teams, consumers first, for they are what pulls."""
    mine = RobotAccount.objects.filter(team__memberships__user=user, is_active=True).order_by("-kind", "name")
    return list(mine.values_list("name", flat=True).distinct())


@for_people
def show_clients(request: HttpRequest, user: User) -> HttpResponseBase:
    """One client at a time: log in, copy the files, know what they do."""
    robots = _robots(user)
    choice = _choice(request, robots)
    plan, setup = choice.setup()
    files = [(file, f"{choice.query()}&{urlencode({'path': file.path})}") for file in setup.files]
    context = {
        "choice": choice,
        "query": choice.query(),
        "tabs": [(name, TITLES[name], choice.query(**{"for": name})) for name in CLIENTS],
        "plan": plan,
        "setup": setup,
        "files": files,
        "logins": login_lines(plan, choice.client, user.username),
        "locations": location_names(),
        "registries": Registry.objects.filter(reach=Reach.ENFORCED).values_list("name", flat=True),
        "robots": robots,
        "has_token": any(live_tokens(user)),
    }
    return render(request, "web/clients.html", context)


@for_people
def give_file(request: HttpRequest, user: User) -> HttpResponseBase:
    """One file of the page, under the name that the program wants. Never with a secret in it: the portal keeps none."""
    _, setup = _choice(request, _robots(user)).setup()
    file = next((file for file in setup.files if file.path == asked(request, "path")), None)
    if file is None:
        raise Http404("There is no such file for what was chosen. Go back to the page and choose again.")
    return _download(file.text.encode(), content_type(file), file.name)


@for_people
def give_files(request: HttpRequest, user: User) -> HttpResponseBase:
    """All files of the page, in their folders."""
    choice = _choice(request, _robots(user))
    _, setup = choice.setup()
    name = "-".join(part for part in (choice.client, choice.location, choice.registry) if part)
    return _download(zipped(setup.files), "application/zip", f"{name}.zip")


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": str(content_disposition_header(True, name)), "Cache-Control": "private, no-cache"}
    return HttpResponse(content, content_type=kind, headers=headers)
