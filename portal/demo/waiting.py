"""How long does the story wait for work in the background? Until a condition holds, or a deadline passes with the last thing seen."""

import time
from collections.abc import Callable
from typing import TypeVar

from portal.demo.errors import DemoError

T = TypeVar("T")
_PAUSE_SECONDS = 0.25


def wait_until(
    what: str, look: Callable[[], T | None], *, seen: Callable[[], str] = lambda: "nothing", seconds: float = 60
) -> T:
    """What ``look`` finds, once it finds something; ``seen`` says how things stood when time ran out."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"Waited {seconds:.0f} s for {what}; found {seen()}.")
        time.sleep(_PAUSE_SECONDS)
