"""The company of the promotions, with doors to the API for everybody in it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.portal.api.office import Office


@pytest.fixture
def office(db: None) -> "Office":
    # Late: this file is read before the settings are.
    from tests.portal.api.office import open_office

    return open_office()
