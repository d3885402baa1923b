"""What a stranger finds at the address of a registry."""

import socket

import pytest

from registries.adapters import probe
from tests.fakes import faults
from tests.fakes.scripted_registry import Fault, ScriptedRegistry


def test_an_open_registry_is_well() -> None:
    with ScriptedRegistry().running() as registry:
        health = probe(registry.url + "/v2/")
    assert (health.is_up, health.detail) == (True, "registry/2.0")
    assert health.latency_ms >= 0
    assert "Authorization" not in registry.seen[0].headers


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_one_that_asks_for_a_credential_is_well(scheme: str) -> None:
    with ScriptedRegistry(token="x", challenge=f'{scheme} realm="r"').running() as registry:
        health = probe(registry.url)
    assert health.is_up
    assert f"asks for {scheme.lower()} credentials" in health.message
    assert len(registry.seen) == 1


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (faults.web_page(), "not_a_registry", "not a registry"),
        (faults.web_page(404), "not_a_registry", "not a registry"),
        (faults.status(404), "not_found", "not a registry"),
        (faults.status(401), "unauthorized", "without saying which credential"),
        (faults.status(500), "server_error", "failed with status 500"),
        (faults.status(429, Retry_After="60"), "rate_limited", "too many requests"),
        (faults.silence(), "dropped", "the connection was cut"),
        (faults.redirect("ftp://elsewhere.example/v2/"), "invalid", "where we do not go"),
    ],
)
def test_anything_else_is_said_in_a_sentence(fault: Fault, code: str, words: str) -> None:
    with ScriptedRegistry().running() as registry:
        registry.on("GET", "/v2/", fault, times=9)
        health = probe(registry.url, name="prod")
    assert (health.is_up, health.detail) == (False, code)
    assert health.message.startswith(f"prod at {registry.url}: ")
    assert words in health.message
    assert len(registry.seen) == 1, "a probe asks once"


def test_a_registry_that_does_not_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        health = probe(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2)
    assert (health.is_up, health.detail) == (False, "unreachable")
    assert "too long to answer" in health.message


def test_plain_http_where_tls_is_expected() -> None:
    with ScriptedRegistry().running() as registry:
        health = probe(registry.url.replace("http:", "https:"))
    assert (health.is_up, health.detail) == (False, "tls_failed")


@pytest.mark.parametrize("address", ["http://", "http://[::1", "http://prod example/", "://"])
def test_an_address_that_is_none(address: str) -> None:
    assert not probe(address).is_up
