"""A small company: alice builds, bob and carol are release managers, dave is a superuser, eve is an outsider."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.promotions.workflow.world import World


@pytest.fixture
def world(db: None) -> "World":
    # Late: this file is read before the settings are.
    from tests.promotions.workflow.world import make_world

    return make_world()
