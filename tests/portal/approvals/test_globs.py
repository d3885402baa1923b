"""Which repositories does a rule speak of?"""

import pytest

from portal.approvals.globs import matches, matches_any


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
    ],
)
def test_globs(glob: str, name: str, is_match: bool) -> None:
    assert matches(glob, name) is is_match


def test_no_globs_mean_all() -> None:
    assert matches_any([], "anything")
    assert not matches_any(["payments/**"], "billing/api")
