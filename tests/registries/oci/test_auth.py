"""Who we are: asked for, remembered, renewed, and never told to strangers."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from registries.oci.auth import Anonymous, BasicAuth, MintedAuth
from registries.oci.backoff import Backoff
from registries.oci.challenge import Challenge
from registries.oci.errors import Denied, NotARegistry, RateLimited, ServerError, Unauthorized
from registries.oci.realm import Realm
from registries.oci.scope import Scope
from registries.oci.tokens import MintedToken, TokenCache
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.registries.oci.conftest import Opener

APP = (Scope.repository("team/app", "pull"),)


@dataclass
class TokenServer:
    """Gives one token to whoever asks, and remembers how it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"token": "good", "expires_in": 300}'
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    @contextmanager
    def running(self) -> Iterator["TokenServer"]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                script.asked.append(parse_qs(urlsplit(self.path).query))
                script.credentials.append(self.headers.get("Authorization", ""))
                self.send_response(script.status)
                self.send_header("Content-Length", str(len(script.body)))
                self.end_headers()
                self.wfile.write(script.body)

            def log_message(self, *args: Any) -> None:
                pass

        setattr(Handler, "do_GET", Handler.answer)  # noqa: B010  the base class wants that name
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


@pytest.fixture
def tokens(registry: ScriptedRegistry) -> Iterator[TokenServer]:
    with TokenServer().running() as server:
        registry.token = "good"
        registry.challenge = f'Bearer realm="{server.url}/token",service="prod",scope="repository:team/app:pull"'
        registry.tags["team/app"] = {"v1": "sha256:" + "0" * 64}
        yield server


def test_a_challenge_is_met_once_for_all_requests(
    registry: ScriptedRegistry, tokens: TokenServer, connect: Opener
) -> None:
    client = connect(registry.url, auth=BasicAuth("robbie", "pass:word", trusted_realm_hosts=[tokens.host]))
    assert client.tags("team/app") == client.tags("team/app") == ["v1"]
    assert tokens.asked == [{"service": ["prod"], "account": ["robbie"], "scope": ["repository:team/app:pull"]}]
    assert tokens.credentials == ["Basic cm9iYmllOnBhc3M6d29yZA=="]
    assert [seen.headers.get("Authorization") for seen in registry.seen] == [None, "Bearer good", "Bearer good"]


def test_strangers_get_the_token_of_strangers(registry: ScriptedRegistry, tokens: TokenServer, connect: Opener) -> None:
    assert connect(registry.url, auth=Anonymous(trusted_realm_hosts=[tokens.host])).tags("team/app") == ["v1"]
    assert tokens.credentials == [""]


def test_a_registry_cannot_send_our_credential_anywhere(
    registry: ScriptedRegistry, tokens: TokenServer, connect: Opener
) -> None:
    with pytest.raises(Unauthorized, match=f"token server {tokens.host}, which is not trusted"):
        connect(registry.url, auth=BasicAuth("robbie", "secret")).tags("team/app")
    assert not tokens.asked


@pytest.mark.parametrize(
    ("realm", "origin", "is_fine"),
    [
        ("https://prod.example/token", "https://prod.example", True),
        ("https://prod.example:443/token", "https://prod.example", True),
        ("https://auth.docker.io/token", "https://registry-1.docker.io", True),
        ("https://auth.docker.io/token", "https://prod.example", False),
        ("http://prod.example/token", "https://prod.example", False),
        ("https://prod.example@evil.example/token", "https://prod.example", False),
        ("https://prod.example:8443/token", "https://prod.example", False),
        ("https://portal.example/token", "https://prod.example", True),
    ],
)
def test_which_realms_may_see_a_credential(realm: str, origin: str, is_fine: bool) -> None:
    trusting = Realm(("robbie", "secret"), frozenset({"portal.example"}))
    challenge = Challenge("bearer", {"realm": realm}, origin)
    if is_fine:
        assert trusting._checked(challenge) == realm
    else:
        with pytest.raises(Unauthorized):
            trusting._checked(challenge)


@pytest.mark.parametrize("realm", ["", "portal", "ftp://x/token", "https://", "http://[::1/token"])
def test_a_realm_must_be_an_address(realm: str) -> None:
    with pytest.raises(NotARegistry, match="no usable token server"):
        Realm().fetch(Challenge("bearer", {"realm": realm}, "https://prod.example"), APP)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", Unauthorized),
        (403, b"", Unauthorized),
        (429, b"", RateLimited),
        (503, b"", ServerError),
        (200, b"<html>", NotARegistry),
        (200, b"[]", NotARegistry),
        (200, b'{"token": ""}', NotARegistry),
        (200, b'{"token": "a\\nb"}', NotARegistry),
    ],
)
def test_token_servers_fail_in_their_own_ways(status: int, body: bytes, kind: type[Exception]) -> None:
    with TokenServer(status=status, body=body).running() as server:
        realm = Realm(trusted_hosts=frozenset({server.host}), backoff=Backoff(retries=1, sleep=lambda seconds: None))
        with pytest.raises(kind, match="token server"):
            realm.fetch(Challenge("bearer", {"realm": f"{server.url}/token"}, "http://prod.example"), APP)


def test_a_token_without_a_life_lives_a_minute() -> None:
    with TokenServer(body=b'{"access_token": "good"}').running() as server:
        realm = Realm(trusted_hosts=frozenset({server.host}), clock=lambda: 1000.0)
        made = realm.fetch(Challenge("bearer", {"realm": server.url}, server.url), APP)
    assert (made.token, made.expires_at_monotonic) == ("good", 1060.0)


def test_basic_is_sent_when_basic_is_asked(registry: ScriptedRegistry, connect: Opener) -> None:
    registry.token, registry.challenge = "never", 'Basic realm="r"'
    client = connect(registry.url, auth=BasicAuth("alice", "secret"))
    with pytest.raises(Unauthorized, match="our credential is not accepted"):
        client.tags("team/app")
    assert [seen.headers.get("Authorization") for seen in registry.seen] == [None, "Basic YWxpY2U6c2VjcmV0"]
    with pytest.raises(Unauthorized):
        connect(registry.url).tags("team/app")


def test_a_refused_token_is_made_anew_once(registry: ScriptedRegistry, connect: Opener) -> None:
    minted = iter(["stale", "good"])
    registry.token, registry.challenge = "good", 'Bearer realm="r"'
    registry.tags["team/app"] = {}
    auth = MintedAuth(lambda scopes: MintedToken(next(minted), time.monotonic() + 300))
    client = connect(registry.url, auth=auth)
    assert client.tags("team/app") == client.tags("team/app") == []
    assert [seen.headers["Authorization"] for seen in registry.seen] == ["Bearer stale", "Bearer good", "Bearer good"]


def test_a_good_token_without_the_right_is_denied(registry: ScriptedRegistry, connect: Opener) -> None:
    registry.token = "other"
    registry.challenge = 'Bearer realm="r",scope="repository:team/app:pull",error="insufficient_scope"'
    auth = MintedAuth(lambda scopes: MintedToken("narrow", time.monotonic() + 300))
    with pytest.raises(Denied, match="our token does not cover repository:team/app:pull"):
        connect(registry.url, auth=auth).tags("team/app")


def test_each_verb_asks_for_its_own_rights(registry: ScriptedRegistry, connect: Opener) -> None:
    asked: list[str] = []

    def mint(scopes: tuple[Scope, ...]) -> MintedToken:
        asked.append(" ".join(map(str, scopes)))
        return MintedToken("good", time.monotonic() + 300)

    client = connect(registry.url, auth=MintedAuth(mint))
    client.ping()
    list(client.catalog())
    client.head_manifest("a", "v1")
    client.begin_upload("a", _digest(), "b")
    client.begin_upload("a", _digest())
    with pytest.raises(Exception, match="not found"):
        client.delete_manifest("a", _digest())
    assert asked == [
        "",
        "registry:catalog:*",
        "repository:a:pull",
        "repository:a:pull,push repository:b:pull",
        "repository:a:pull,push",
        "repository:a:pull,delete",
    ]


def test_many_threads_that_start_together_cost_one_token() -> None:
    made: list[str] = []
    barrier, two_at_once = threading.Barrier(8), threading.Barrier(2)

    def fetch() -> MintedToken:
        made.append("x")
        # Long enough for a second fetch to come in, if anything let it.
        with contextlib.suppress(threading.BrokenBarrierError):
            two_at_once.wait(0.3)
        return MintedToken(f"token{len(made)}", time.monotonic() + 300)

    cache = TokenCache()

    def ask(_: int) -> str:
        barrier.wait(10)
        return cache.get(APP, fetch)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"token1"}
    assert cache.get(APP, fetch, rejected="token0") == "token1", "a token that is long replaced was refused"
    assert cache.get(APP, fetch, rejected="token1") == "token2"


def test_a_token_is_renewed_before_it_ends() -> None:
    now = [0.0]
    lives = iter([300.0, 20.0, 20.0])
    cache = TokenCache(min_ttl=30, clock=lambda: now[0])

    def get() -> str:
        return cache.get(APP, lambda: MintedToken(f"made at {now[0]:.0f}", now[0] + next(lives)))

    assert get() == "made at 0"
    now[0] = 269
    assert get() == "made at 0"
    now[0] = 271
    assert get() == "made at 271"
    now[0] = 280
    assert get() == "made at 271", "a short-lived one is good for half of its life"
    now[0] = 282
    assert get() == "made at 282"


def _digest() -> Any:
    from registries.oci.digest import Digest

    return Digest.of(b"x")
