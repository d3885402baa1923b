"""Ports stay ours from the choice until a server has them."""

import socket

import pytest

from portal.demo.errors import DemoError
from portal.demo.ports import LOOPBACK, Ports


def test_a_held_port_can_be_listened_on_by_the_server_it_is_meant_for(ports: Ports) -> None:
    port = ports.take()
    with (
        socket.create_server((LOOPBACK, port)) as server,
        socket.create_connection((LOOPBACK, port), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_ports_taken_together_differ(ports: Ports) -> None:
    assert len({ports.take() for _ in range(50)}) == 50


def test_a_wanted_port_in_use_is_one_sentence_that_names_it(ports: Ports) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(DemoError, match=rf"^Port {taken} is in use on 127\.0\.0\.1; .*\.$"):
            ports.take(taken)


def test_closing_gives_the_port_back() -> None:
    with Ports() as held:
        port = held.take()
    with Ports() as again:
        assert again.take(port) == port
