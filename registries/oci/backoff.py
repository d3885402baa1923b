"""When is a failed request worth another try, and after how long?"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TypeVar

from registries.oci.errors import RateLimited, RegistryError

T = TypeVar("T")

_uniform = SystemRandom().uniform


def full_jitter(ceiling: float) -> float:
    """Anywhere between nothing and the ceiling, so that many clients do not come back at once."""
    return _uniform(0, ceiling)


@dataclass(frozen=True)
class Backoff:
    """Up to `retries` more tries. All times in seconds.

    A registry that asks for more patience than `longest` is not waited for: the error goes up with
    its `retry_after`, and whoever schedules the work can come back then.
    """

    retries: int = 4
    first: float = 0.5
    longest: float = 30.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    jitter: Callable[[float], float] = field(default=full_jitter, repr=False)

    def call(self, attempt: Callable[[], T]) -> T:
        for tried in range(self.retries + 1):
            try:
                return attempt()
            except RegistryError as error:
                pause = self.pause(tried, error)
                if pause is None:
                    raise
                self.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def pause(self, tried: int, error: RegistryError) -> float | None:
        """Seconds to wait after try number `tried` (from 0), None to give up."""
        if not error.is_retryable or tried >= self.retries:
            return None
        ceiling = min(self.first * 2.0**tried, self.longest)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return None if error.retry_after > self.longest else error.retry_after + self.jitter(ceiling / 10)
        return self.jitter(ceiling)
