"""Rows to measure on: teams, robots with secrets, rules. ``python -m tests.bench.token_rows FOLDER RULES [ROBOTS]`` adds what is missing up to
so many rules, and writes the requests of all robots to the folder: ``ES256`` of one registry, ``RS256`` of another."""

import base64
import hashlib
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import django

from portal.actor import system

if TYPE_CHECKING:
    from registries.access.models import Secret

TEAMS = 50
ROBOTS = 10_000
PLACES = {"ES256": "prod", "RS256": "ci-snapshots"}
HOST = "127.0.0.1"
_BATCH = 2000


def main(folder: Path, rules: int, robots: int = ROBOTS) -> None:
    from registries.access.epoch import bump_epoch

    if not all((folder / algorithm).exists() for algorithm in PLACES):
        _add_people(robots)
        for algorithm, service in PLACES.items():
            (folder / algorithm).write_text("".join(f"{json.dumps(text)}\n" for text in _requests(service)))
    _add_rules(rules)
    bump_epoch()


def _add_people(number_of_robots: int) -> None:
    """Registries with keys, teams, robots; one secret each, which is kept in the robot's description, for it is worth nothing."""
    from portal.users.models import Team
    from registries.access.models import Namespace, RobotAccount, Secret
    from registries.access.signing.keys import ensure_key
    from registries.topology.models import Reach, Registry, Zone, ZoneDefault

    zones = {kind: Zone.objects.create(name=kind, kind=kind) for kind in PLACES.values()}
    for algorithm, kind in PLACES.items():
        values = {"base_url": f"http://{kind}.example:5000", "host": f"{kind}.example:5000", "service": kind}
        registry = Registry.objects.create(
            name=kind, zone=zones[kind], reach=Reach.ENFORCED, token_algorithm=algorithm, **values
        )
        ensure_key(registry, system("portal"))
    zone = zones[PLACES["RS256"]]
    ZoneDefault.objects.create(zone=zone, audience="everyone", action="pull")
    teams = Team.objects.bulk_create(Team(name=f"team-{number}") for number in range(TEAMS))
    Namespace.objects.bulk_create(Namespace(zone=zone, prefix=team.name, team=team) for team in teams)
    robots = RobotAccount.objects.bulk_create(
        [
            RobotAccount(name=f"r{number}", team=teams[number % TEAMS], description=_new_secret())
            for number in range(number_of_robots)
        ],
        batch_size=_BATCH,
    )
    Secret.objects.bulk_create([_secret(robot.pk, robot.description) for robot in robots], batch_size=_BATCH)


def _new_secret() -> str:
    return f"ptr_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


def _secret(robot: int, text: str) -> "Secret":
    from registries.access.models import Secret

    return Secret(
        robot_id=robot, handle=text.split("_")[1], secret_hash=hashlib.sha256(text.encode()).hexdigest(), name="bench"
    )


def _add_rules(wanted: int) -> None:
    """Each team reads its own names in prod, in both sets. Of the others half speak of one robot, the rest of teams and a few of
    everyone; every eighth denies; zones, registries and depths of patterns are mixed."""
    from portal.users.models import Team
    from registries.access.models import AccessRule, RobotAccount
    from registries.topology.models import Registry

    prod, snapshots = Registry.objects.order_by("pk")
    teams = list(Team.objects.order_by("pk"))
    robots = list(RobotAccount.objects.order_by("pk").only("pk"))
    rows: list[AccessRule] = []
    for number in range(AccessRule.objects.count(), wanted):
        if number < TEAMS:
            pattern = f"{teams[number].name}/**"
            rows.append(AccessRule(team=teams[number], zone=prod.zone, pattern=pattern, reason="its own"))
            continue
        team = teams[number % TEAMS]
        pattern = (f"{team.name}/svc-{number}/**", f"{team.name}/svc-{number}", f"{team.name}/lib-{number}-*")[
            number % 3
        ]
        row = AccessRule(pattern=pattern, reason=f"bench {number}", may_push=number % 5 == 0)
        row.effect = "deny" if number % 8 == 0 else "allow"
        row.registry, row.zone = ((prod, None), (None, prod.zone), (snapshots, None), (None, None))[number % 4]
        if number % 20 < 10:
            row.robot = robots[number * 7919 % len(robots)]
        elif number % 20 < 19:
            row.team = team
        rows.append(row)
    AccessRule.objects.bulk_create(rows, batch_size=_BATCH)


def _requests(service: str) -> list[str]:
    """One per robot: Basic, one scope of its team. In an order in which neighbours have nothing in common."""
    from registries.access.models import RobotAccount

    robots = list(RobotAccount.objects.order_by("pk").values_list("name", "description", "team__name"))
    return [_request(service, *robots[number * 7919 % len(robots)]) for number in range(len(robots))]


def _request(service: str, name: str, secret: str, team: str) -> str:
    login = base64.b64encode(f"robot.{name}:{secret}".encode()).decode()
    query = f"account=robot.{name}&scope={quote(f'repository:{team}/shop/app:pull', safe='')}&service={service}"
    lines = [f"GET /token?{query} HTTP/1.1", f"Host: {HOST}", f"Authorization: Basic {login}", "User-Agent: bench"]
    return "\r\n".join([*lines, "Accept: */*", "", ""])


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
