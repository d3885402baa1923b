"""Which tags may go to prod?"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from promotions.gates.base import ImageEvidence, ParameterError, Status
from promotions.gates.tag_pattern import TagPattern

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GATE = TagPattern()


@pytest.mark.parametrize(
    ("parameters", "tag", "is_good"),
    [
        ({}, "1.4.2", True),
        ({}, "v1.4.2", True),
        ({}, "1.4", False),
        ({}, "01.4.2", False),
        ({}, "latest", False),
        ({}, "1.4.2\n", False),
        ({}, "\uff11.4.2", False),
        ({}, "1.4.2-rc.1", False),
        ({"allow_prerelease": True}, "1.4.2-rc.1", True),
        ({"allow_prerelease": True}, "1.4.2-", False),
        ({"mode": "calver"}, "2026.11", True),
        ({"mode": "calver"}, "2026.11.3", True),
        ({"mode": "calver"}, "2026.13", False),
        ({"mode": "regex", "regex": r"release-\d+"}, "release-12", True),
        ({"mode": "regex", "regex": r"release-\d+"}, "my-release-12", False),
        ({"mode": "regex", "regex": ".*", "forbid": ["dev*"]}, "dev-1", False),
        ({"mode": "regex", "regex": ".*", "forbid": ["dev*"]}, "prod-1", True),
    ],
)
def test_tags_by_form(
    evidence: Callable[..., ImageEvidence], parameters: dict[str, Any], tag: str, is_good: bool
) -> None:
    GATE.check_parameters(parameters)
    verdict = GATE.evaluate(evidence(target_tags=(tag,)), parameters, NOW)
    assert (verdict.status == Status.PASS) is is_good, verdict.summary


def test_every_tag_has_to_be_good(evidence: Callable[..., ImageEvidence]) -> None:
    verdict = GATE.evaluate(evidence(target_tags=("1.4.2", "latest")), {}, NOW)
    assert verdict.status == Status.FAIL
    assert "latest" in verdict.summary


def test_no_tag_at_all_does_not_pass(evidence: Callable[..., ImageEvidence]) -> None:
    assert GATE.evaluate(evidence(target_tags=()), {}, NOW).status == Status.FAIL


LABEL = {"match_label": "org.opencontainers.image.version"}


def test_the_label_has_to_hold_the_tag(evidence: Callable[..., ImageEvidence]) -> None:
    assert GATE.evaluate(evidence(target_tags=("v1.4.2",)), LABEL, NOW).status == Status.PASS
    other = GATE.evaluate(evidence(target_tags=("1.4.3",)), LABEL, NOW)
    assert other.status == Status.FAIL
    assert "1.4.2" in other.summary


def test_one_platform_with_another_label_fails(evidence: Callable[..., ImageEvidence]) -> None:
    name = LABEL["match_label"]
    labels = {"linux/amd64": {name: "1.4.2"}, "linux/arm64": {name: "1.4.1"}}
    verdict = GATE.evaluate(evidence(labels_by_platform=labels), LABEL, NOW)
    assert verdict.status == Status.FAIL
    assert "linux/arm64" in verdict.summary


def test_a_label_that_was_not_read_is_an_error_not_a_pass(evidence: Callable[..., ImageEvidence]) -> None:
    verdict = GATE.evaluate(evidence(unread=("linux/arm64",)), LABEL, NOW)
    assert verdict.status == Status.ERROR


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"mode": "roman"}, "mode"),
        ({"mode": "regex"}, "regex"),
        ({"mode": "regex", "regex": "("}, "regex"),
        ({"allow_prerelease": "yes"}, "allow_prerelease"),
        ({"forbid": "latest"}, "forbid"),
        ({"forbidden": ["latest"]}, "forbidden"),
        ({"regex": "x" * 501}, "regex"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        GATE.check_parameters(parameters)
