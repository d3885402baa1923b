"""Whatever happens inside a gate, only a pass passes."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from promotions import gates
from promotions.gates.base import ImageEvidence, ParameterError, Parameters, Status, Verdict
from promotions.gates.evaluation import check_parameters, evaluate_gate

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Broken:
    name = "broken"
    title = "Broken"

    def check_parameters(self, parameters: Parameters) -> None:
        """Takes anything."""

    def evaluate(self, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict:
        raise ZeroDivisionError("out of cheese")


@pytest.fixture
def broken_gate(monkeypatch: pytest.MonkeyPatch) -> str:
    """A gate of a later version that has a bug."""
    monkeypatch.setitem(gates.GATES, "broken", Broken())
    return "broken"


def test_a_gate_that_breaks_does_not_pass(evidence: Callable[..., ImageEvidence], broken_gate: str) -> None:
    verdict = evaluate_gate(broken_gate, evidence(), {}, NOW)
    assert verdict.status == Status.ERROR
    assert "out of cheese" in verdict.summary


def test_a_gate_nobody_knows_does_not_pass(evidence: Callable[..., ImageEvidence]) -> None:
    assert evaluate_gate("from_the_future", evidence(), {}, NOW).status == Status.ERROR


def test_a_gate_that_is_set_up_wrongly_does_not_pass(evidence: Callable[..., ImageEvidence]) -> None:
    verdict = evaluate_gate("platforms", evidence(), {"required": []}, NOW)
    assert verdict.status == Status.ERROR
    assert "required" in verdict.summary


def test_setting_up_an_unknown_gate_names_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="tag_pattern"):
        check_parameters("tag_patern", {})


def test_parameters_that_are_no_object_are_refused() -> None:
    with pytest.raises(ParameterError, match="object"):
        check_parameters("platforms", ["linux/amd64"])  # type: ignore[arg-type]
