"""What the tests of the house share."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

InThreads = Callable[..., list[Any]]


@pytest.fixture
def in_threads() -> InThreads:
    """Calls every function in a thread of its own, all at the same moment; their results in order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        gate, results = threading.Barrier(len(functions)), [None] * len(functions)

        def one(place: int) -> None:
            try:
                gate.wait(20)
                results[place] = functions[place]()
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=(place,)) for place in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    return run
