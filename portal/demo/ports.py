"""Which loopback ports are ours? Held from the choice until the server that was meant has them."""

import socket
from typing import Self

from portal.demo.errors import DemoError

LOOPBACK = "127.0.0.1"


class Ports:
    """Ports bound but not listened on.

    Linux lets a server that sets SO_REUSEADDR (every one we start does) listen on a port that is bound this way,
    while nobody is handed it by chance. So a port stays ours until ``close``, also across a restart of its server.
    """

    def __init__(self) -> None:
        self._held: dict[int, socket.socket] = {}

    def take(self, wanted: int = 0) -> int:
        """A free port, or exactly the one wanted."""
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((LOOPBACK, wanted))
        except OSError as error:
            holder.close()
            raise DemoError(_why_not(wanted, error)) from error
        port: int = holder.getsockname()[1]
        self._held[port] = holder
        return port

    def close(self) -> None:
        for holder in self._held.values():
            holder.close()
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


def _why_not(port: int, error: OSError) -> str:
    if port and isinstance(error, PermissionError):
        return f"Port {port} needs root; choose one above 1023 with --port, or leave it out to get a free one."
    if port:
        return f"Port {port} is in use on {LOOPBACK}; stop what listens there, or leave --port out to get a free one."
    return f"No free port could be had on {LOOPBACK}: {error.strerror or error}."
