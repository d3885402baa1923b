"""Is a registry well, and what does it ask for? Asked without any credential, as a stranger would, or with one token."""

import time
from dataclasses import dataclass

from registries.adapters.base import Endpoint, open_client
from registries.oci.backoff import Backoff
from registries.oci.challenge import Challenge
from registries.oci.errors import NotARegistry, NotFound, RegistryError
from registries.oci.scope import Scope
from registries.oci.transport import TransportOptions


@dataclass(frozen=True)
class Health:
    """`message` is one sentence for the map; `detail` is the code of what was wrong, or the API version."""

    is_up: bool
    latency_ms: int
    message: str
    detail: str = ""


@dataclass(frozen=True)
class Look:
    """How it is, and the challenge with which it sent a visitor away; None where it let him in or did not say."""

    health: Health
    challenge: Challenge | None


class _Visitor:
    """Shows the token it has, if any, once; remembers whether it was asked for a credential in a way that clients understand."""

    def __init__(self, token: str = "") -> None:
        self._shown = f"Bearer {token}" if token else None
        self.challenge: Challenge | None = None

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        self.challenge = challenge or self.challenge
        return self._shown if rejected is None else None


def probe(
    base_url: str,
    *,
    name: str = "",
    verify_tls: bool = True,
    ca_bundle: str | None = None,
    timeout: float = 5.0,
) -> Health:
    """GET /v2/: well when it answers 200, or 401 with a challenge. One try, `timeout` in seconds; never raises."""
    return look(base_url, name=name, verify_tls=verify_tls, ca_bundle=ca_bundle, timeout=timeout).health


def look(
    base_url: str,
    *,
    name: str = "",
    verify_tls: bool = True,
    ca_bundle: str | None = None,
    timeout: float = 5.0,
    token: str = "",
) -> Look:
    """As probe, with the challenge. `token` is shown to that address and to no other."""
    visitor = _Visitor(token)
    options = TransportOptions(
        connect_timeout=timeout,
        read_timeout=timeout,
        verify_tls=verify_tls,
        ca_bundle=ca_bundle,
        backoff=Backoff(retries=0),
    )
    client = open_client(Endpoint(base_url, visitor, name=name), options)
    started = time.monotonic()
    try:
        version = client.ping().api_version
        health = Health(True, _since(started), f"answers, and lets {'the token' if token else 'strangers'} in", version)
    except RegistryError as error:
        health = _turned_away(client.label, error, visitor.challenge, _since(started))
    finally:
        client.close()
    return Look(health, visitor.challenge)


def _turned_away(label: str, error: RegistryError, challenge: Challenge | None, latency_ms: int) -> Health:
    if error.status == 401 and challenge is not None:
        return Health(True, latency_ms, f"answers, and asks for {challenge.scheme} credentials")
    return Health(False, latency_ms, _sentence(label, error), error.code)


def _sentence(label: str, error: RegistryError) -> str:
    if isinstance(error, NotFound | NotARegistry):
        return f"{label}: something answers there, but it is not a registry"
    if error.status == 401:
        return f"{label}: refuses strangers without saying which credential it wants"
    return str(error)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
