"""Which names does a glob mean, to us and to a database?"""

import re

import pytest

from portal.globs import matches, matches_any, regex_of


@pytest.mark.parametrize(
    ("glob", "name", "is_match"),
    [
        ("**", "payments/api", True),
        ("*", "payments/api", False),
        ("*", "api", True),
        ("payments/*", "payments/api", True),
        ("payments/*", "payments/api/v2", False),
        ("payments/**", "payments/api/v2", True),
        ("payments/**", "payments", True),
        ("payments/**", "payments-b/api", False),
        ("payments/ap?", "payments/api", True),
        ("payments/a.i", "payments/api", False),
        ("Payments/*", "payments/api", False),
        ("payments/ap?", "payments/ap/", False),
        ("**/api", "payments/v2/api", True),
        ("**/api", "api", False),
        ("pay*/**", "payments", True),
        ("api", "my-api", False),
        ("dev[0-9]", "dev1", False),
        ("dev[0-9]", "dev[0-9]", True),
    ],
)
def test_globs(glob: str, name: str, is_match: bool) -> None:
    assert matches(glob, name) is is_match
    assert bool(re.search(regex_of(glob), name)) is is_match


def test_no_globs_mean_all() -> None:
    assert matches_any([], "anything")
    assert not matches_any(["payments/**"], "billing/api")
