"""What does one gate say, whatever happens inside it? A gate that breaks never passes."""

import logging
from datetime import datetime

from promotions.gates import GATES
from promotions.gates.base import ImageEvidence, ParameterError, Parameters, Status, Verdict

logger = logging.getLogger(__name__)


def evaluate_gate(name: str, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict:
    """The verdict of one gate; ERROR with the reason where it is unknown, set up wrongly, or fails itself."""
    gate = GATES.get(name)
    if gate is None:
        return Verdict(Status.ERROR, f"There is no gate “{name}” in this version of the portal.")
    try:
        gate.check_parameters(parameters)
        return gate.evaluate(evidence, parameters, now)
    except ParameterError as error:
        return Verdict(Status.ERROR, f"{gate.title} is set up wrongly: {error}")
    except Exception as error:  # whatever breaks inside must block, and must be seen
        logger.exception("Gate %s failed on %s@%s", name, evidence.repository, evidence.digest)
        return Verdict(Status.ERROR, f"{gate.title} could not be evaluated: {type(error).__name__}: {error}"[:500])


def check_parameters(name: str, parameters: Parameters) -> None:
    """Raises ParameterError where the gate is unknown or could not use the parameters."""
    if name not in GATES:
        raise ParameterError(f"There is no gate “{name}”; known are {', '.join(sorted(GATES))}.")
    if not isinstance(parameters, dict):
        raise ParameterError("The parameters of a gate are an object.")
    GATES[name].check_parameters(parameters)
