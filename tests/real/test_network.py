"""The guard itself: a test that reaches out fails, whatever catches exceptions on the way."""

import socket
from contextlib import suppress

import pytest
import requests

from tests.real.network import ForeignAddressError


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_a_foreign_address_is_refused(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(ForeignAddressError), suppress(Exception):
        client.connect((address, 443))


def test_a_foreign_name_is_not_even_looked_up() -> None:
    with pytest.raises(ForeignAddressError, match=r"registry\.example"), suppress(Exception):
        requests.get("http://registry.example/v2/", timeout=5)


def test_a_name_that_never_resolves_fails_as_in_real_life() -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get("http://registry.invalid/v2/", timeout=5)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
        pass
