"""What showing one token to a registry says about it, and what says nothing."""

import time

import pytest

from registries.adapters import Endpoint, show_token
from tests.fakes.scripted_registry import Answer, ScriptedRegistry

TOKEN = "a.real.token"


def shown(registry: ScriptedRegistry, token: str | None = TOKEN) -> tuple[str, str]:
    answer = show_token(Endpoint(registry.url, name="prod"), token, timeout=0.5)
    return answer.taken, answer.text


def test_it_is_shown_once_and_nothing_else_is() -> None:
    with ScriptedRegistry(
        token=TOKEN, challenge='Bearer realm="http://127.0.0.1:9/token",service="x"'
    ).running() as registry:
        assert shown(registry) == ("accepted", "")
        assert shown(registry, "another.token")[0] == "refused"
        assert shown(registry, None)[0] == "refused"
        sent = [seen.headers.get("Authorization") for seen in registry.seen]
        assert sent == [f"Bearer {TOKEN}", "Bearer another.token", None]
        assert {seen.path for seen in registry.seen} == {"/v2/"}


@pytest.mark.parametrize(
    ("answer", "taken", "words"),
    [
        (Answer(401), "refused", "not accepted"),
        (Answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'}), "refused", "not accepted"),
        (Answer(403), "refused", "access is refused"),
        (Answer(404), "down", "not a registry"),
        (Answer(429, headers={"Retry-After": "1"}), "down", "too many requests"),
        (Answer(500), "down", "failed with status 500"),
        (Answer(503), "down", "failed with status 503"),
        (Answer(307, headers={"Location": "/v2/again"}), "down", "it redirects to /v2/again"),
        (
            Answer(301, headers={"Location": "https://elsewhere.example/v2/"}),
            "down",
            "it redirects to https://elsewhere",
        ),
        (Answer(200, b"<!doctype html><p>hello", {"Content-Type": "text/html"}), "down", "a web page answered"),
        (Answer(is_silent=True), "down", "connection was cut"),
    ],
)
def test_answers(answer: Answer, taken: str, words: str) -> None:
    with ScriptedRegistry().running() as registry:
        registry.on("GET", "/v2/", lambda _: answer)
        found = shown(registry)
        assert (found[0], words in found[1]) == (taken, True), found
        assert len(registry.seen) == 1
        assert TOKEN not in found[1]


def test_one_that_takes_its_time_is_waited_for_no_longer_than_said() -> None:
    def slow(answer: Answer) -> Answer:
        time.sleep(1.5)
        return answer

    with ScriptedRegistry().running() as registry:
        registry.on("GET", "/v2/", slow)
        began = time.monotonic()
        assert shown(registry)[0] == "down"
        assert time.monotonic() - began < 1.4


def test_an_address_where_nobody_is() -> None:
    assert "nothing listens there" in show_token(Endpoint("http://127.0.0.1:1"), TOKEN).text
