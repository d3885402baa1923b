"""Guesses are slowed down by account and network, and nobody is ever locked out."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from portal.http.client_address import client_address
from registries.access import throttle
from registries.access.counts.attempts import count_attempt, seconds_left
from registries.access.throttle import PER_ACCOUNT, PER_NETWORK, network_of
from registries.access.token_request import Sent
from registries.topology.models import Registry
from tests.registries.access.cast import (
    Login,
    make_robot,
    make_team,
    robot_login,
)
from tests.registries.access.token_client import ask, basic, post

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another minute must not begin in the middle of a story; and what another test guessed was never seen."""
    now = datetime.now(UTC).replace(second=20, microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: now)
    throttle._seen.clear()


def guess(client: Client, registry: Registry, number: int, name: str = "alice", address: str = "198.51.100.7") -> Any:
    client.defaults["REMOTE_ADDR"] = address
    return ask(client, registry, "repository:a:pull", login=Login(name, f"ptp_0000000000000000_{number:043}"))


def statuses(client: Client, registry: Registry, count: int, **more: str) -> list[int]:
    return [guess(client, registry, number, **more).status_code for number in range(count)]


def test_the_eleventh_guess_at_an_account_waits(client: Client, sandbox: Registry, alice: Login) -> None:
    assert statuses(client, sandbox, PER_ACCOUNT) == [401] * PER_ACCOUNT
    answer = guess(client, sandbox, 99)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "40"
    assert answer.json()["errors"][0]["code"] == "TOOMANYREQUESTS"
    assert "token" not in answer.json()


def test_a_right_secret_is_taken_whatever_was_guessed(client: Client, sandbox: Registry, alice: Login) -> None:
    robot = robot_login(make_robot("payments-ci", make_team("payments")))
    statuses(client, sandbox, 2 * PER_ACCOUNT)
    for login in (alice, robot):
        assert ask(client, sandbox, login=login).status_code == 200
        assert post(client, sandbox, login=login).status_code == 200
    assert guess(client, sandbox, 777).status_code == 429


def test_the_same_wrong_secret_counts_once_in_a_minute(client: Client, sandbox: Registry, alice: Login) -> None:
    """containerd and BuildKit show each one twice, by POST and then by GET."""
    wrong = Login("alice", "ptp_0000000000000000_" + "b" * 43)
    for _ in range(3 * PER_ACCOUNT):
        assert post(client, sandbox, login=wrong).status_code == 401
        assert ask(client, sandbox, login=wrong).status_code == 401
    assert statuses(client, sandbox, PER_ACCOUNT - 1)[-1] == 401


def test_other_networks_and_other_accounts_are_not_slowed_down(client: Client, sandbox: Registry, alice: Login) -> None:
    statuses(client, sandbox, PER_ACCOUNT + 1)
    assert guess(client, sandbox, 500).status_code == 429
    assert guess(client, sandbox, 501, address="198.51.101.7").status_code == 401
    assert guess(client, sandbox, 502, name="bob").status_code == 401


def test_a_neighbour_in_the_network_guesses_on_ones_account_and_is_slowed_down_all_the_same(
    client: Client, sandbox: Registry, alice: Login
) -> None:
    for number in range(PER_ACCOUNT):
        guess(client, sandbox, number, address=f"198.51.100.{number + 1}")
    assert guess(client, sandbox, 99, address="198.51.100.200").status_code == 429


def test_many_accounts_from_one_network_are_slowed_down_too(client: Client, sandbox: Registry) -> None:
    found = [guess(client, sandbox, number, name=f"user{number}").status_code for number in range(PER_NETWORK + 1)]
    assert found == [401] * PER_NETWORK + [429]


def test_a_name_that_exists_is_slowed_down_like_one_that_does_not(
    client: Client, sandbox: Registry, alice: Login
) -> None:
    for name in ("alice", "nobody", "robot.nothing", "al\u0131ce", "", "x" * 255):
        throttle._seen.clear()
        client.defaults["REMOTE_ADDR"] = f"203.0.{sum(map(ord, name)) % 250}.1"
        found = [
            post(client, sandbox, login=Login(name, f"ptp_0000000000000000_{number:043}")).status_code
            for number in range(PER_ACCOUNT + 1)
        ]
        assert found == [401] * PER_ACCOUNT + [429]


def test_two_processes_share_the_count(client: Client, sandbox: Registry, alice: Login) -> None:
    """What one has seen in this minute the other has not; the rows are the same."""
    statuses(client, sandbox, PER_ACCOUNT)
    throttle._seen.clear()
    assert guess(client, sandbox, 0).status_code == 429


def test_another_minute_is_another_count(sandbox: Registry, alice: Login) -> None:
    first, second = datetime(2026, 1, 1, 12, 0, 59, tzinfo=UTC), datetime(2026, 1, 1, 12, 1, 0, tzinfo=UTC)
    assert [count_attempt("k", first), count_attempt("k", first), count_attempt("k", second)] == [1, 2, 1]
    assert (seconds_left(first), seconds_left(second)) == (1, 60)


def test_what_is_kept_of_guesses_is_bounded_and_says_no_secret(client: Client, sandbox: Registry) -> None:
    for number in range(throttle.MAX_REMEMBERED + 10):
        throttle._is_repeated(Sent("alice", str(number)), "n", timezone.now())
    assert len(throttle._seen) <= throttle.MAX_REMEMBERED
    assert all(len(key) == 32 for key in throttle._seen)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "c63364/24"), ("::ffff:198.51.100.9", "c63364/24"), ("2001:db8:1:2:3::4", "20010db800010002/64"),
        ("2001:db8:1:2:ffff::1", "20010db800010002/64"), ("", "unknown"), ("nonsense", "unknown"),
    ],
)  # fmt: skip
def test_what_one_network_is(address: str, network: str) -> None:
    assert network_of(address) == network


SPOOFS = ["1.2.3.4", "1.2.3.4, 5.6.7.8", "127.0.0.1", "unknown", "", ",,,", "::1, 1.2.3.4", "10.0.0.1", "x" * 4000]


@pytest.mark.parametrize("said", SPOOFS)
def test_without_trusted_proxies_nobody_says_where_he_is(
    client: Client, sandbox: Registry, settings: Settings, said: str
) -> None:
    settings.PORTAL_TRUSTED_PROXIES = []
    request = client.get("/healthz", REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": said}).wsgi_request
    assert client_address(request) == "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "fe80::1%" + "a" * 200, "fe80::1"),
    ],
)
def test_behind_trusted_proxies_the_last_foreign_hop_counts(
    client: Client, settings: Settings, peer: str, said: str, address: str
) -> None:
    """What stands to the left of it anybody can have written."""
    settings.PORTAL_TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = client.get("/healthz", REMOTE_ADDR=peer, headers={"X-Forwarded-For": said}).wsgi_request
    assert client_address(request) == address


def test_a_new_spoofed_address_for_each_guess_does_not_help(
    client: Client, sandbox: Registry, alice: Login, settings: Settings
) -> None:
    settings.PORTAL_TRUSTED_PROXIES = ["10.0.0.0/8"]
    query = f"/token?service={sandbox.service}"
    found = []
    for number in range(PER_ACCOUNT + 1):
        wrong = basic(Login("alice", f"ptp_0000000000000000_{number:043}"))
        hops = f"192.0.2.{number}, 203.0.113.9"
        found.append(client.get(query, REMOTE_ADDR="10.0.0.1", headers={**wrong, "X-Forwarded-For": hops}).status_code)
    assert found == [401] * PER_ACCOUNT + [429]
