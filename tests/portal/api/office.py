"""Everybody's way into the API: a client per person or robot, each with a secret of its own."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from portal.users.accounts import grant_role, join_team
from portal.users.models import Role, Team
from registries.access.credential.credentials import issue_personal_token, issue_robot_secret
from registries.access.models import Namespace, RobotAccount
from registries.oci.digest import Digest
from registries.topology.defaults import ZONE_DEFAULTS
from registries.topology.models import Zone, ZoneDefault
from tests.promotions.workflow.world import SETUP, World, make_world, put_image

API = "/api/v1"


@dataclass
class Answer:
    """What came back, with its body read."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """Of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        assert self.body["status"] == self.status
        assert self.body["detail"]
        return str(self.body["code"])


class Door:
    """Requests of one caller."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret
        self._client = Client(headers={"Authorization": f"Bearer {secret}"} if secret else {})

    def get(self, path: str, /, **query: Any) -> Answer:
        return _answer(self._client.get(f"{API}{path}", query))

    def get_unless(self, path: str, etag: str) -> Answer:
        """Only if it is not as it was."""
        return _answer(self._client.get(f"{API}{path}", headers={"If-None-Match": etag}))

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return _answer(self._client.post(f"{API}{path}", body, content_type="application/json", headers=named))

    def delete(self, path: str) -> Answer:
        return _answer(self._client.delete(f"{API}{path}"))


def _answer(response: Any) -> Answer:
    content_type = response.headers.get("Content-Type", "")
    body = response.json() if "json" in content_type and response.content else response.content.decode()
    return Answer(response.status_code, body, dict(response.headers))


@dataclass
class Office:
    """The world and the doors: people by name, robots by ``robot.NAME``."""

    world: World
    doors: dict[str, Door]
    stranger: Door

    def __getitem__(self, name: str) -> Door:
        return self.doors[name]

    def build(self, version: str = "1.4.2", repository: str = "payments/api", tag: str = "") -> Digest:
        """CI has pushed an image."""
        return put_image(self.world.ci, version=version, repository=repository, tag=tag)

    def body(self, digest: Digest, **changes: Any) -> dict[str, Any]:
        """What CI sends to have it promoted."""
        return {
            "path": "ci-to-prod",
            "source": {"repository": "payments/api", "digest": str(digest)},
            "target": {"tags": ["1.4.2"]},
            "on_behalf_of": "alice@example.com",
            "ci": {"pipeline_url": "https://ci.example/1", "commit": "9f2"},
            **changes,
        }


def open_office() -> Office:
    world = make_world()
    for zone in Zone.objects.all():
        for line in ZONE_DEFAULTS[zone.kind]:
            audience, action = line.split()
            ZoneDefault.objects.create(zone=zone, audience=audience, action=action)
    _add_others(world)
    doors = {name: Door(issue_personal_token(SETUP, person, "tests", None)[1]) for name, person in world.people.items()}
    for robot in RobotAccount.objects.all():
        doors[robot.login] = Door(issue_robot_secret(SETUP, robot, "tests", None)[1])
    return Office(world, doors, Door())


def _add_others(world: World) -> None:
    """Another team with its own names and its own robot; security; an auditor."""
    from tests.promotions.workflow.world import _person

    world.people |= {name: _person(name) for name in ("sam", "ada", "mallory")}
    grant_role(SETUP, world.people["sam"], Role.SECURITY)
    grant_role(SETUP, world.people["ada"], Role.AUDITOR)
    shop = Team.objects.create(name="shop")
    join_team(SETUP, shop, world.people["mallory"])
    Namespace.objects.create(zone=world.ci.zone, prefix="shop", team=shop)
    RobotAccount.objects.create(name="shop-ci", kind=RobotAccount.Kind.CI, team=shop)
    RobotAccount.objects.create(name="shop-web", kind=RobotAccount.Kind.CONSUMER, team=shop)
