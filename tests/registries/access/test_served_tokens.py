"""The token endpoint as a server: bodies in chunks, long lines, a database that is gone, secrets that stay out of the log."""

import http.client
import json
import os
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from pytest_django import Settings

from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes
from registries.access.counts.record_models import Denial
from registries.access.models import AccessRule
from registries.topology.models import Registry
from tests.registries.access.cast import Login, make_registry
from tests.registries.access.live import LivePortal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(settings: Settings, ports: Ports, processes: Processes) -> LivePortal:
    served = LivePortal(processes, ports.take())
    served.start()
    return served


def ask(portal: LivePortal, method: str, path: str, **more: object) -> tuple[int, dict[str, object]]:
    line = http.client.HTTPConnection(LOOPBACK, portal.port, timeout=20)
    line.request(method, path, **more)  # type: ignore[arg-type]
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, json.loads(body) if body.startswith(b"{") else {}


def form_of(login: Login, registry: Registry) -> bytes:
    values = {"grant_type": "password", "username": login.username, "password": login.secret}
    return urlencode(values | {"service": registry.service, "scope": "repository:a:pull", "client_id": "x"}).encode()


def test_a_form_in_chunks_is_read(portal: LivePortal, alice: Login, sandbox: Registry) -> None:
    form = form_of(alice, sandbox)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    pieces = iter([form[:40], form[40:]])
    status, body = ask(portal, "POST", "/token", body=pieces, headers=kind, encode_chunked=True)
    assert (status, body["scope"]) == (200, "repository:a:pull")
    status, body = ask(portal, "POST", "/token", body=form, headers=kind)
    assert (status, body["scope"]) == (200, "repository:a:pull")


def test_a_body_without_end_is_not_read_to_its_end(portal: LivePortal) -> None:
    endless = (b"a" * 65536 for _ in range(4))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _ = ask(portal, "POST", "/token", body=endless, headers=kind, encode_chunked=True)
    assert status == 413


def test_a_line_with_a_hundred_scopes_fits(portal: LivePortal, alice: Login, sandbox: Registry) -> None:
    query = urlencode([("service", sandbox.service), *(("scope", f"repository:t/app-{n}:pull") for n in range(100))])
    status, _ = ask(portal, "GET", f"/token?{query}")
    assert status == 200


def test_a_change_of_rules_counts_at_the_next_request(portal: LivePortal) -> None:
    archive = make_registry("archive")
    path = f"/token?service={archive.service}&scope=repository:library/alpine:pull"
    assert ask(portal, "GET", path)[1]["denied"]
    rule = AccessRule.objects.create(zone=archive.zone, is_public=True)
    assert "denied" not in ask(portal, "GET", path)[1]
    rule.delete()
    assert ask(portal, "GET", path)[1]["denied"]
    assert Denial.objects.filter(principal="anonymous", code="sign_in").exists()


def test_without_its_database_it_answers_503_and_nobody_is_taken_for_a_stranger(
    portal: LivePortal, alice: Login, sandbox: Registry
) -> None:
    path = f"/token?service={sandbox.service}&scope=repository:a:pull"
    assert ask(portal, "GET", path)[0] == 200
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_policyepoch RENAME TO gone")
    try:
        status, body = ask(portal, "GET", path)
        assert (status, "token" in body) == (503, False)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert ask(portal, "POST", "/token", body=form_of(alice, sandbox), headers=kind)[0] == 503
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO access_policyepoch")
    assert ask(portal, "GET", path)[0] == 200


def test_no_secret_reaches_the_log(portal: LivePortal, alice: Login, sandbox: Registry, tmp_path: Path) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    _, body = ask(portal, "POST", "/token", body=form_of(alice, sandbox), headers=kind)
    ask(portal, "POST", "/token", body=form_of(Login("alice", alice.secret[:-1]), sandbox), headers=kind)
    assert portal.running is not None
    log = portal.running.log.read_text()
    assert "Login refused: user name 'alice'" in log
    assert alice.secret.split("_", 2)[2][:-1] not in log
    assert str(body["token"]) not in log


def test_it_serves_tokens_and_keys_and_nothing_else(portal: LivePortal, sandbox: Registry) -> None:
    assert ask(portal, "GET", f"/keys/{sandbox.name}/jwks.json")[0] == 200
    for path in ("/admin/", "/api/v1/", "/", "/accounts/login/", "/token/"):
        assert ask(portal, "GET", path)[0] == 404
    assert os.environ.get("PORTAL_FACE", "") != "token"
