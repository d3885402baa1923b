"""May a test reach out? Only as far as this machine's loopback."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class ForeignAddressError(BaseException):
    """A test reached for another machine.

    No ``Exception``, because code under test rightly turns those of the network into "that registry is down", and the
    test would pass for the wrong reason.
    """


def forbid_foreign_addresses() -> None:
    """From here on sockets of this process connect to loopback or not at all. For good; there is no way back."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    resolve = socket.getaddrinfo

    def guarded_resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        _check_name(host)
        return resolve(host, *arguments, **options)

    socket.getaddrinfo = guarded_resolve


def _guarded(real: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guard(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _check_address(address[0])
        return real(self, address)

    return guard


def _check_address(host: str) -> None:
    if host not in ("", "localhost") and not _is_loopback(host):
        raise ForeignAddressError(f"A test tried to connect to {host}; tests stay on 127.0.0.0/8 and ::1.")


def _check_name(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()) or _is_loopback(name):
        return
    if str(name).endswith(".invalid"):  # RFC 6761: never resolves, so a test may ask for what never answers
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise ForeignAddressError(f"A test asked for the address of {name}; use loopback, or a name under .invalid.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
