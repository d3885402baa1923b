"""Does it run wherever it must?"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from promotions.gates.base import ImageEvidence, ParameterError, Status
from promotions.gates.platforms import Platforms

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GATE = Platforms()


@pytest.mark.parametrize(
    ("offered", "parameters", "is_good"),
    [
        (("linux/amd64", "linux/arm64"), {"required": ["linux/amd64", "linux/arm64"]}, True),
        (("linux/amd64", "linux/arm64/v8"), {"required": ["linux/arm64"]}, True),
        (("linux/amd64",), {"required": ["linux/amd64", "linux/arm64"]}, False),
        (("linux/arm/v6",), {"required": ["linux/arm/v7"]}, False),
        ((), {"required": ["linux/amd64"]}, False),
        (("linux/amd64", "linux/s390x"), {"required": ["linux/amd64"], "allow_extra": False}, False),
        (("linux/amd64",), {"required": ["linux/amd64"], "allow_extra": False}, True),
    ],
)
def test_platforms(
    evidence: Callable[..., ImageEvidence], offered: tuple[str, ...], parameters: dict[str, Any], is_good: bool
) -> None:
    GATE.check_parameters(parameters)
    verdict = GATE.evaluate(evidence(platforms=offered), parameters, NOW)
    assert (verdict.status == Status.PASS) is is_good, verdict.summary


@pytest.mark.parametrize("required", [[], ["linux"], ["linux/amd64/v1/x"], "linux/amd64", [7]])
def test_bad_parameters_are_refused(required: object) -> None:
    with pytest.raises(ParameterError):
        GATE.check_parameters({"required": required})
