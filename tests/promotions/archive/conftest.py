"""An upstream and an archive over real HTTP, whose faults a test writes down."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.promotions.archive.shelves import Shelves


@pytest.fixture
def shelves(db: None) -> Iterator["Shelves"]:
    # Late: this file is read before the settings are.
    from tests.promotions.archive.shelves import open_shelves

    with open_shelves() as opened:
        yield opened
