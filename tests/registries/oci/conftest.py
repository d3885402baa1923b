"""Scripted registries and clients that do not sleep."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from registries.oci.auth import Anonymous, Auth
from registries.oci.backoff import Backoff
from registries.oci.client import Client
from registries.oci.transport import TransportOptions
from tests.fakes.scripted_registry import ScriptedRegistry

Opener = Callable[..., Client]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def registry(stack: ExitStack) -> ScriptedRegistry:
    return stack.enter_context(ScriptedRegistry().running())


@pytest.fixture
def other(stack: ExitStack) -> ScriptedRegistry:
    return stack.enter_context(ScriptedRegistry().running())


@pytest.fixture
def pauses() -> list[float]:
    """Seconds that clients would have waited."""
    return []


@pytest.fixture
def connect(stack: ExitStack, pauses: list[float]) -> Opener:
    def opened(url: str, name: str = "prod", auth: Auth | None = None, retries: int = 4) -> Client:
        backoff = Backoff(retries=retries, sleep=pauses.append, jitter=lambda ceiling: ceiling)
        options = TransportOptions(connect_timeout=5, read_timeout=5, upload_timeout=5, backoff=backoff)
        client = Client(url, auth or Anonymous(), name=name, options=options)
        stack.callback(client.close)
        return client

    return opened


@pytest.fixture
def client(registry: ScriptedRegistry, connect: Opener) -> Client:
    return connect(registry.url)


@pytest.fixture
def source(registry: ScriptedRegistry, connect: Opener) -> Client:
    """Where copies come from."""
    return connect(registry.url, name="snapshots")


@pytest.fixture
def target(other: ScriptedRegistry, connect: Opener) -> Client:
    """Where copies go."""
    return connect(other.url, name="prod")
