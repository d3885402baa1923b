"""What one test was counted for is no other's business."""

from collections.abc import Iterator

import pytest

from registries.access.tally import tally


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    tally.take()
    yield
    tally.take()
