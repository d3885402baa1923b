"""Addresses in networks: one meaning for rules, credentials and proxies."""

import pytest

from portal import env
from portal.networks import lies_in, parse_address, parse_networks


@pytest.mark.parametrize(
    ("address", "networks", "is_inside"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "192.168.0.0/16 10.1.2.3", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "::/0", False),
        ("2001:db8::7", "10.0.0.0/8,2001:db8::/32", True),
        ("", "0.0.0.0/0", False),
        ("localhost", "0.0.0.0/0, ::/0", False),
        ("10.1.2.3", "", False),
    ],
)
def test_an_address_lies_in_a_network_or_not(address: str, networks: str, is_inside: bool) -> None:
    assert lies_in(address, parse_networks(networks)) is is_inside


def test_an_address_in_the_clothes_of_the_other_family_is_what_it_is() -> None:
    assert str(parse_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert parse_address("192.0.2.1/24") is None


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.1.2.3/8", "office", "10.0.0.0/8; ::/0"])
def test_what_is_no_network_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match=text.split(";", maxsplit=1)[0].split("/", maxsplit=1)[0]):
        parse_networks(text)


def test_a_proxy_that_is_no_network_is_refused_at_the_start() -> None:
    """Trusting nobody in silence would be taken for trusting the proxy."""
    told = env.Environment({"PORTAL_TRUSTED_PROXIES": "10.0.0.1,proxy.example"})
    with pytest.raises(env.BadEnvironmentError, match=r"PORTAL_TRUSTED_PROXIES.*proxy\.example"):
        told.networks("PORTAL_TRUSTED_PROXIES")
    assert env.Environment({"PORTAL_TRUSTED_PROXIES": "10.0.0.1, fd00::/8"}).networks("PORTAL_TRUSTED_PROXIES") == [
        "10.0.0.1/32",
        "fd00::/8",
    ]
