"""The settings of the next version."""

from portal.settings import *  # noqa: F403

MIGRATION_MODULES = {"access": "tests.fakes.next_version.access"}
