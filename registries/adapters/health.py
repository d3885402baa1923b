"""Is a registry well? Asked without any credential, as a stranger would."""

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


class _Stranger:
    """Sends nothing and remembers whether it was asked for a credential in a way that clients understand."""

    def __init__(self) -> None:
        self.challenge: Challenge | None = None

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        self.challenge = challenge or self.challenge
        return None


def probe(
    base_url: str,
    *,
    name: str = "",
    verify_tls: bool = True,
    ca_bundle: str | None = None,
    timeout: float = 5.0,
) -> Health:
    """GET /v2/: well when it answers 200, or 401 with a challenge. One try, `timeout` in seconds; never raises."""
    stranger = _Stranger()
    options = TransportOptions(
        connect_timeout=timeout,
        read_timeout=timeout,
        verify_tls=verify_tls,
        ca_bundle=ca_bundle,
        backoff=Backoff(retries=0),
    )
    client = open_client(Endpoint(base_url, stranger, name=name), options)
    started = time.monotonic()
    try:
        version = client.ping().api_version
        return Health(True, _since(started), "answers, and lets strangers in", version)
    except RegistryError as error:
        if error.status == 401 and stranger.challenge is not None:
            return Health(True, _since(started), f"answers, and asks for {stranger.challenge.scheme} credentials")
        return Health(False, _since(started), _sentence(client.label, error), error.code)
    finally:
        client.close()


def _sentence(label: str, error: RegistryError) -> str:
    if isinstance(error, NotFound | NotARegistry):
        return f"{label}: something answers there, but it is not a registry"
    if error.status == 401:
        return f"{label}: refuses strangers without saying which credential it wants"
    return str(error)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
