"""A thread that writes down what was counted, so that no answer waits behind it: for processes that answer tokens all the time, on a
database that takes several writers."""

import threading

from django.db import close_old_connections, connection

from registries.access.counts.tally import FLUSH_SECONDS, Tally, tally


class Writer:
    """Starts with the first thing there is to write, so that it lives in the process that serves and not in the one it was forked from."""

    def __init__(self, counts: Tally) -> None:
        self._counts = counts
        self._is_due = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something to write. Returns at once."""
        self._is_due.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="counts", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._is_due.wait(FLUSH_SECONDS)
            self._is_due.clear()
            self._counts.flush()
            # As after a request: kept open for the next time, or given back to the pool, as the settings say.
            close_old_connections()


def write_in_background() -> None:
    """Once per process, before it serves. SQLite has one writer at a time and waits in the same process anyway: there it stays as it is."""
    if connection.vendor == "postgresql":
        tally.write_by(Writer(tally).wake)
