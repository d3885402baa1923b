"""Wait for a row to change, for a while, without letting waiters take every thread the server has."""

import threading
import time
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

LONGEST = 60
_PAUSE = 0.5


class Waiting:
    """Bounds how many wait at once in this process. Those who find no seat are answered at once and told to come back."""

    def __init__(self, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)

    def until(self, is_reached: Callable[[], bool], seconds: float) -> bool:
        """Look again and again, up to ``seconds`` and never above a minute; whether it was reached. Call it outside any transaction."""
        if is_reached():
            return True
        if seconds <= 0 or not self._seats.acquire(blocking=False):
            return False
        try:
            return _look(is_reached, time.monotonic() + min(seconds, LONGEST))
        finally:
            self._seats.release()


def _look(is_reached: Callable[[], bool], deadline: float) -> bool:
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(_PAUSE, left))
        if is_reached():
            return True
    return False


@lru_cache(maxsize=1)
def waiting() -> Waiting:
    """This process's seats: half of its threads at most, so that the other half answers everybody else."""
    return Waiting(max(1, settings.PORTAL_THREADS // 2))
