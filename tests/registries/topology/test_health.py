"""Is each registry well? Asked of real servers that are well, unwell, gone, or something else altogether."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.users.models import Role, RoleGrant, User
from registries.adapters import Health
from registries.topology.health import judge, note_health, probe_all, probe_due
from registries.topology.models import Registry, RegistryHealth, Zone
from registries.topology.tasks import probe
from tests.fakes import faults
from tests.fakes.scripted_registry import Fault, ScriptedRegistry

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
Add = Callable[..., Registry]


@pytest.fixture
def add() -> Add:
    zone = Zone.objects.create(name="sandbox", kind="sandbox")

    def make(url: str, name: str = "box", **fields: object) -> Registry:
        return Registry.objects.create(name=name, zone=zone, base_url=url, host=name, service=name, **fields)

    return make


@pytest.fixture
def server() -> Iterator[ScriptedRegistry]:
    with ScriptedRegistry().running() as running:
        yield running


def health_of(registry: Registry) -> RegistryHealth:
    assert probe_all([registry]) == 1
    return RegistryHealth.objects.get(registry=registry)


def test_a_registry_that_answers_is_well(add: Add, server: ScriptedRegistry) -> None:
    health = health_of(add(server.url))
    assert (health.state, health.message) == ("well", "answers, and lets strangers in")
    assert health.latency_ms is not None
    assert "Authorization" not in server.seen[0].headers


def test_one_that_asks_for_a_token_is_well(add: Add, server: ScriptedRegistry) -> None:
    server.token, server.challenge = "t", f'Bearer realm="{server.url}/token",service="box"'
    health = health_of(add(server.url))
    assert (health.state, health.message) == ("well", "answers, and asks for bearer credentials")
    assert [seen.path for seen in server.seen] == ["/v2/"]


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (faults.web_page(), "not a registry"),
        (faults.status(500), "500"),
        (faults.status(503), "503"),
        (faults.status(404), "not a registry"),
        (faults.status(401), "without saying which credential"),
        (faults.silence(), "box at http"),
        (faults.redirect("http://elsewhere.invalid/v2/"), "name does not resolve"),
    ],
)
def test_anything_else_is_broken_and_says_why(add: Add, server: ScriptedRegistry, fault: Fault, word: str) -> None:
    server.on("GET", "/v2/", fault)
    health = health_of(add(server.url))
    assert health.state == "broken"
    assert word in health.message


def test_nobody_there_is_broken(add: Add) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert health_of(add(f"http://127.0.0.1:{port}")).state == "broken"


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_one_that_never_answers_is_given_up_and_holds_up_no_other(add: Add, server: ScriptedRegistry) -> None:
    with silent_server() as url:
        slow, quick = add(url, "slow"), add(server.url, "quick")
        began = timezone.now()
        assert probe_all([slow, quick]) == 2
    assert timezone.now() - began < timedelta(seconds=20)
    assert RegistryHealth.objects.get(registry=slow).state == "broken"
    assert RegistryHealth.objects.get(registry=quick).state == "well"


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://" + "x" * 70 + ".invalid", {}),
        ("http://nobody.invalid", {}),
        ("https://127.0.0.1:1", {"ca_bundle": "/nowhere/ca.pem"}),
        ("http://127.0.0.1:99999", {}),
        ("http://[::1", {}),
    ],
)
def test_an_address_that_cannot_be_is_broken_and_stops_nobody(
    add: Add, server: ScriptedRegistry, url: str, more: dict[str, str]
) -> None:
    bad, good = add(url, "bad", **more), add(server.url, "good")
    assert probe_all([bad, good]) == 2
    assert RegistryHealth.objects.get(registry=bad).state == "broken"
    assert RegistryHealth.objects.get(registry=bad).message
    assert RegistryHealth.objects.get(registry=good).state == "well"


def test_slow_is_worth_a_look() -> None:
    assert judge(Health(True, 2001, "answers")) == "attention"
    assert judge(Health(True, 2000, "answers")) == "well"
    assert judge(Health(False, 1, "refused")) == "broken"


def test_since_when_changes_with_the_state_alone(add: Add) -> None:
    registry, first = add("http://r.invalid"), timezone.now()
    well, broken = Health(True, 5, "answers"), Health(False, 5, "x" * 900)
    note_health(registry, well, first)
    later = first + timedelta(minutes=1)
    assert note_health(registry, well, later).since == first
    assert note_health(registry, broken, later).since == later
    row = RegistryHealth.objects.get()
    assert (row.checked_at, len(row.message)) == (later, 500)


def test_the_well_are_asked_at_leisure_and_the_others_at_every_turn(add: Add, server: ScriptedRegistry) -> None:
    well, new = add(server.url, "well"), add(server.url, "new")
    assert probe_due() == 2
    assert probe_due() == 0
    RegistryHealth.objects.filter(registry=new).update(state="broken")
    assert probe() == 1
    assert probe_due(timezone.now() + timedelta(minutes=5)) == 2
    RegistryHealth.objects.filter(registry=well).update(checked_at=None)
    assert probe_due() == 1


def test_asking_now_is_left_to_the_prober(
    add: Add, server: ScriptedRegistry, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    """A page never waits for a registry."""
    registry = add(server.url)
    note_health(registry, Health(True, 5, "answers"), timezone.now())
    admin = User.objects.create(username="admin", email="admin@corp.example")
    RoleGrant.objects.create(user=admin, role=Role.PLATFORM_ADMIN)
    client = Client()
    client.force_login(admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    with current_app.connection_for_read() as broker:
        queue = broker.SimpleQueue(current_app.conf.task_default_queue, no_ack=True)
        queue.clear()
        chosen = {"action": "probe_selected", "_selected_action": registry.pk}
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            assert client.post(reverse("admin:topology_registry_changelist"), chosen).status_code == 302
        assert queue.get(timeout=5).headers["task"] == "registries.topology.probe"
    assert server.seen == []
    assert probe_due() == 1
