"""What one test was counted for is no other's business."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    # This file is read before Django has loaded its apps.
    from registries.access.tally import tally

    tally.take()
    yield
    tally.take()
