"""How is a story played? Step by step, each timed, up to the first that does not hold."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from portal.demo.errors import DemoError, one_line
from portal.demo.report import Report, StepResult

Stage = TypeVar("Stage")


@dataclass(frozen=True)
class Said:
    """What a step has to tell: a sentence for people and values for scripts."""

    sentence: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Step(Generic[Stage]):
    """One scene. ``play`` acts on the stage and raises DemoError when what should hold does not."""

    name: str
    play: Callable[[Stage], Said]


def play_steps(
    steps: Sequence[Step[Stage]], stage: Stage, report: Report, is_well: Callable[[], None]
) -> list[StepResult]:
    """Plays in order and stops after the first failure. ``is_well`` raises when a server has died meanwhile."""
    results: list[StepResult] = []
    for step in steps:
        results.append(_play(step, stage, is_well))
        report.step(results[-1])
        if not results[-1].ok:
            break
    return results


def _play(step: Step[Stage], stage: Stage, is_well: Callable[[], None]) -> StepResult:
    started = time.monotonic()
    try:
        said = step.play(stage)
        is_well()
    except (DemoError, OSError, LookupError, TypeError, ValueError) as error:
        # The rest of these is an answer of another shape than the story expects, or a connection that broke.
        return StepResult(step.name, False, time.monotonic() - started, _reason(error, is_well))
    return StepResult(step.name, True, time.monotonic() - started, said.sentence, said.facts)


def _reason(error: Exception, is_well: Callable[[], None]) -> str:
    """A dead server explains more than what its client saw of it."""
    try:
        is_well()
    except DemoError as death:
        return one_line(str(death))
    return one_line(str(error) if isinstance(error, DemoError) else f"{type(error).__name__}: {error}")
