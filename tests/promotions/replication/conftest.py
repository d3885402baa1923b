"""A prod with two regions behind it, and a sandbox that nothing leaves."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.promotions.replication.regions import Regions


@pytest.fixture
def regions(db: None) -> "Regions":
    # Late: this file is read before the settings are.
    from tests.promotions.replication.regions import make_regions

    return make_regions()
