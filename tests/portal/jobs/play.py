"""What the tests of jobs call the things they play with."""

import time
from collections.abc import Callable
from typing import Any

from portal.jobs.run import Claim
from registries.catalog.models import SyncJob

Handler = Callable[[Claim[SyncJob]], None]
HandledBy = Callable[[Handler], None]
MakeJob = Callable[..., SyncJob]
InThreads = Callable[..., list[Any]]


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition says as soon as it says something, or at the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
