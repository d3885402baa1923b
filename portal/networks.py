"""Pure: does an address lie in one of these networks? The one meaning for rules, credentials and trusted proxies alike."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def split_networks(text: str) -> tuple[str, ...]:
    """The words of a list with commas or spaces between them."""
    return tuple(text.replace(",", " ").split())


@lru_cache(maxsize=1024)
def parse_networks(text: str) -> tuple[Network, ...]:
    """``10.0.0.0/8, 2001:db8::/32`` as values; a bare address is a network of one. Raises ValueError, which names the word."""
    return tuple(ip_network(word) for word in split_networks(text))


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """None for what is no address. An IPv4 address in IPv6's clothes is the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def lies_in(text: str, networks: Iterable[Network]) -> bool:
    """Whether the address lies in one of the networks; what is no address lies nowhere."""
    address = parse_address(text)
    return address is not None and any(address in network for network in networks)
