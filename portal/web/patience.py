"""How long may a client take to say what it wants? Threads are few, and one that waits for the rest of a sentence serves nobody.

gunicorn's threads read headers and bodies without any time-out of their own: a client that was cut off in the middle would keep its
thread for ever. In front of many strangers stands a proxy that buffers whole requests; this is for the portal by itself."""

import contextlib
import socket
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

WHOLE_REQUEST_SECONDS: Final = 15.0


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Stops listening to whoever has not sent a whole request in time; what was understood by then is still answered."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._heard_since: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        self._heard_since[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._heard_since.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Without a body the request is whole, and may take its time to be answered."""
        names = {name.upper() for name, _ in req.headers}
        if not names & {"CONTENT-LENGTH", "TRANSFER-ENCODING"}:
            self._heard_since.pop(conn, None)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """The main loop asks once a second who has been waited for long enough."""
        super().murder_pending()
        limit = time.monotonic() - WHOLE_REQUEST_SECONDS
        for conn, since in list(self._heard_since.items()):
            if since < limit and self._heard_since.pop(conn, None) is not None:
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
