"""How does a job go on when a registry did not do what it asked? One answer for all kinds of jobs."""

from datetime import timedelta

from django.utils import timezone

from portal.jobs.locks import pause_host, pause_of
from portal.jobs.run import JobFailed, RetryLater
from registries.oci.errors import RateLimited, RegistryError
from registries.topology.models import Registry

PAUSE_SECONDS = 60


def heed_pause(registry: Registry) -> None:
    """Leave a host alone that asked for it; raises RetryLater until then."""
    now = timezone.now()
    pause = pause_of(registry.host, now)
    if pause is not None:
        raise RetryLater("paused", f"{registry.host}: {pause.reason}", after=pause.until - now, is_free=True)


def retry_or_fail(registry: Registry, error: RegistryError, attempt: int) -> JobFailed | RetryLater:
    """How a job goes on after a registry's error: a pause for all, another try, or the end with the sentence."""
    if isinstance(error, RateLimited):
        wait = timedelta(seconds=error.retry_after or PAUSE_SECONDS)
        pause_host(registry.host, timezone.now() + wait, "it asked for fewer requests")
        return RetryLater(error.code, str(error), after=wait, is_free=True)
    if error.is_retryable:
        return RetryLater(error.code, str(error), after=timedelta(seconds=min(300, 5 * 2**attempt)))
    return JobFailed(error.code, str(error))
