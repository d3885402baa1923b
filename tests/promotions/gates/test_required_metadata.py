"""What must an image say about itself?"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from promotions.gates.base import ImageEvidence, ParameterError, Status
from promotions.gates.required_metadata import RequiredMetadata

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GATE = RequiredMetadata()
SOURCE = "org.opencontainers.image.source"


@pytest.mark.parametrize(
    ("labels", "key", "is_good"),
    [
        ({SOURCE: "https://git.example/api"}, SOURCE, True),
        ({}, SOURCE, False),
        ({SOURCE: "  "}, SOURCE, False),
        ({SOURCE: ""}, {"name": SOURCE, "allow_empty": True}, True),
        ({SOURCE: "https://git.example/api"}, {"name": SOURCE, "regex": r"https://git\.example/.+"}, True),
        ({SOURCE: "https://git.example.evil/api"}, {"name": SOURCE, "regex": r"https://git\.example/.+"}, False),
        ({SOURCE: "see https://git.example/x"}, {"name": SOURCE, "regex": r"https://git\.example/.+"}, False),
        ({SOURCE: "a" * 1025}, {"name": SOURCE, "regex": "a+"}, False),
    ],
)
def test_one_key(evidence: Callable[..., ImageEvidence], labels: dict[str, str], key: Any, is_good: bool) -> None:
    parameters = {"keys": [key]}
    GATE.check_parameters(parameters)
    verdict = GATE.evaluate(evidence(labels_by_platform={"linux/amd64": labels}), parameters, NOW)
    assert (verdict.status == Status.PASS) is is_good, verdict.summary


def test_each_platform_has_to_say_it(evidence: Callable[..., ImageEvidence]) -> None:
    found = evidence(labels_by_platform={"linux/amd64": {SOURCE: "x"}, "linux/arm64": {}})
    assert GATE.evaluate(found, {"keys": [SOURCE]}, NOW).status == Status.FAIL
    assert GATE.evaluate(found, {"keys": [SOURCE], "all_platforms": False}, NOW).status == Status.PASS


def test_annotations_count_where_they_are_meant_to(evidence: Callable[..., ImageEvidence]) -> None:
    found = evidence(labels_by_platform={"linux/amd64": {}}, annotations={SOURCE: "x"})
    for where, status in (("config_label", Status.FAIL), ("annotation", Status.PASS), ("either", Status.PASS)):
        assert GATE.evaluate(found, {"keys": [SOURCE], "where": where}, NOW).status == status


def test_an_artifact_without_any_part_does_not_pass(evidence: Callable[..., ImageEvidence]) -> None:
    assert GATE.evaluate(evidence(labels_by_platform={}), {"keys": [SOURCE]}, NOW).status == Status.FAIL


def test_what_was_not_read_is_an_error(evidence: Callable[..., ImageEvidence]) -> None:
    verdict = GATE.evaluate(evidence(unread=("linux/arm64",)), {"keys": [SOURCE]}, NOW)
    assert verdict.status == Status.ERROR
    assert "linux/arm64" in verdict.summary


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"keys": []},
        {"keys": "a"},
        {"keys": [{}]},
        {"keys": [7]},
        {"keys": [{"name": "a", "regex": "("}]},
        {"keys": ["a"], "where": "x"},
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        GATE.check_parameters(parameters)
