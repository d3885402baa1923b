"""A containerd for tests that pull as nodes do."""

from collections.abc import Iterator

import pytest

from tests.real import containerd
from tests.real.containerd import Ctr


@pytest.fixture(scope="session")
def ctr() -> Iterator[Ctr]:
    """A ctr with a containerd of our own behind it."""
    reason = containerd.why_absent()
    if reason:
        pytest.skip(reason)
    with containerd.containerd() as running:
        yield running
