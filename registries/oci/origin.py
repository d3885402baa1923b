"""Who is being spoken to, and may what it says send us elsewhere?"""

import ipaddress
from urllib.parse import urljoin, urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port, the port always written; empty when it is no address we can use."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return ""
    return f"{parts.scheme}://{parts.hostname.lower()}:{port}" if parts.hostname else ""


def is_same_origin(one: str, other: str) -> bool:
    return bool(origin_of(one)) and origin_of(one) == origin_of(other)


def host_of(url: str) -> str:
    """host, or host:port where the port is not the usual one."""
    parts = urlsplit(origin_of(url))
    if parts.port is None or parts.port == _PORTS.get(parts.scheme):
        return parts.hostname or ""
    return f"{parts.hostname}:{parts.port}"


def joined(here: str, location: str) -> str:
    """A Location or Link as an absolute address; empty when it is none."""
    try:
        return urljoin(here, location)
    except ValueError:
        return ""


def may_follow(here: str, there: str) -> bool:
    """Whether an answer from `here` may send us to `there`.

    Another host must not be a private address by number unless the registry is one itself, and a
    registry behind TLS cannot send us to an unencrypted place.
    """
    if not origin_of(there):
        return False
    if here.startswith("https:") and not there.startswith("https:"):
        return False
    return is_same_origin(here, there) or not _is_private(there) or _is_private(here)


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not address.is_global
