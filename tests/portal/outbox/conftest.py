"""A receiver that listens while a test runs."""

from collections.abc import Iterator

import pytest

from tests.portal.outbox.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as listening:
        yield listening
