"""What one test has checked is no other's business."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_checked() -> Iterator[None]:
    from registries.access.adopt.logins import forget_checked

    forget_checked()
    yield
    forget_checked()
