"""From which address does a request come? Headers say it only where a proxy we trust has written them."""

from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings


def client_address(request: Any) -> str:
    """The last address on the way that is not one of our proxies."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",") if hop.strip()]
    address = peer
    while hops and _is_trusted(address):
        address = hops.pop()
    return address[:64] if _is_address(address) else peer[:64]


def _is_trusted(address: str) -> bool:
    return any(_lies_in(address, trusted) for trusted in settings.PORTAL_TRUSTED_PROXIES)


def _lies_in(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
