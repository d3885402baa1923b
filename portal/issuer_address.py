"""Pure: which addresses may be asked who somebody is? Of issuers of CI jobs, and of identity providers of people."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def address_fault(url: str) -> str:
    """Why it cannot be the address of an issuer or of its parts; empty when it can. Plain HTTP is for loopback alone."""
    parts = _parts(url)
    if parts is None or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        return "Write an address such as https://login.example.com, without user name, query or fragment."
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return ""
    return "Only https is taken: whoever could change the answer could sign in as anybody."


def is_same_host(one: str, other: str) -> bool:
    """The same scheme, host and port: what one document names, only the same server may serve."""
    first, second = _parts(one), _parts(other)
    return first is not None and second is not None and first[:2] == second[:2]


def _parts(url: str) -> SplitResult | None:
    if not url.isascii() or any(letter.isspace() or not letter.isprintable() for letter in url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for what is no number
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
