"""Several threads on one job: the first failure stops them all, and only the caller's thread calls back."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from registries.oci.errors import Cancelled

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK_SECONDS = 0.25


class Crew:
    """`tick` is called in the caller's thread, a few times a second while work is under way.

    It may write to a database: worker threads never call anything but the work itself. When it returns
    True, the work is cancelled.
    """

    def __init__(self, width: int, tick: Callable[[], bool] = lambda: False) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="registry")
        self._tick = tick
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Also on KeyboardInterrupt and the like: threads look at the stop sign between two blocks.
        if error is not None:
            self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def should_stop(self) -> bool:
        """For workers to ask, between two blocks of bytes."""
        return self._stop.is_set()

    def check(self) -> None:
        """Between two steps, in the caller's thread."""
        if self._tick():
            self._stop.set()
        if self._stop.is_set():
            raise Cancelled("the copy was cancelled; what was copied so far stays for the next run")

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results in the order of the items; raises the first failure once every thread has stopped."""
        futures = [self._pool.submit(work, item) for item in items]
        pending = set(futures)
        while pending and not self._stop.is_set():
            done, pending = wait(pending, TICK_SECONDS, FIRST_EXCEPTION)
            if self._tick() or any(future.exception() for future in done):
                self._stop.set()
        if self._stop.is_set():
            self._abandon(futures)
        return [future.result() for future in futures]

    def _abandon(self, futures: "list[Future[Result]]") -> None:
        for future in futures:
            future.cancel()
        wait(futures)
        failures = [error for future in futures if not future.cancelled() and (error := future.exception())]
        for failure in failures:
            if not isinstance(failure, Cancelled):
                raise failure
        raise failures[0] if failures else Cancelled("the copy was cancelled; what was copied so far stays")
