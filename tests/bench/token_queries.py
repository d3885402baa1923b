"""How often does a warm request with one scope ask the database? ``python -m tests.bench.token_queries FILE`` asks as the first robot of
the file, and as a person with teams, and prints the larger number."""

import base64
import json
import sys
from pathlib import Path

import portal.token_wsgi  # names the settings and the face  # noqa: F401


def main(requests: Path) -> None:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    settings.ALLOWED_HOSTS = ["*"]
    counts = {}
    for who, (path, authorization) in {"robot": _as_robot(requests), "person": _as_person()}.items():
        client = Client(headers={"authorization": authorization})
        assert client.get(path).status_code == 200, who
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200, who
        counts[who] = len(queries)
    json.dump(counts, sys.stdout)


def _as_robot(requests: Path) -> tuple[str, str]:
    lines = json.loads(requests.read_text().splitlines()[0]).split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    return lines[0].split(" ")[1], headers["Authorization"]


def _as_person() -> tuple[str, str]:
    from portal.users.models import Membership, Team, User
    from registries.access.credential.credentials import issue_personal_token

    alice, _ = User.objects.get_or_create(username="alice", email="alice@example.com")
    for team in Team.objects.all()[:5]:
        Membership.objects.get_or_create(team=team, user=alice)
    _, secret = issue_personal_token(alice.actor, alice, "bench", None)
    login = base64.b64encode(f"alice:{secret}".encode()).decode()
    return "/token?service=prod&scope=repository:team-1/shop/app:pull", f"Basic {login}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
