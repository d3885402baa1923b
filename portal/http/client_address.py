"""From which address does a request come? Headers say it only where a proxy we trust has written them."""

from typing import Any

from django.conf import settings

from portal.networks import lies_in, parse_address, parse_networks


def client_address(request: Any) -> str:
    """The last address on the way that is not one of our proxies."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",") if hop.strip()]
    address = peer
    while hops and _is_trusted(address):
        address = hops.pop()
    return _bare(address if _is_address(address) else peer)


def _bare(address: str) -> str:
    """Without the interface that a link-local address may name: that is of any length, and the host's own business."""
    return address.partition("%")[0][:45]


def _is_trusted(address: str) -> bool:
    return lies_in(address, parse_networks(",".join(settings.PORTAL_TRUSTED_PROXIES)))


def _is_address(text: str) -> bool:
    return parse_address(text) is not None
