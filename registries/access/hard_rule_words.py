"""Pure: the hard rules of a zone in words, asked from the very function that decides: nothing here can say what does not hold."""

from collections.abc import Iterator
from typing import Final

from registries.access.facts import Place
from registries.access.hard_rules import SYSTEM_RIGHTS, hard_verdict
from registries.access.policy import ACTIONS
from registries.access.principals import ANONYMOUS, Principal

_WHO: Final = (
    ("strangers", ANONYMOUS),
    ("people", Principal("user", "0", "somebody")),
    ("robots for consumers", Principal("robot", "0", "robot.somebody", "consumer")),
    ("CI with a stored secret", Principal("robot", "0", "robot.ci", "ci")),
    ("CI without secrets", Principal("robot", "0", "robot.ci", "ci", is_keyless=True)),
)
_CI: Final = ("CI with a stored secret", "CI without secrets")


def hard_rules(zone: str, kind: str, *, requires_keyless: bool = False) -> list[str]:
    """Sentences on what no row can change: who never does what, then what our own jobs do."""
    place = Place(0, zone, 0, zone, kind, requires_keyless=requires_keyless)
    never = [_sentence(place, action) for action in ACTIONS]
    jobs = [text for action in ACTIONS if (text := _of_jobs(kind, action))]
    return [*filter(None, never), *jobs]


def _sentence(place: Place, action: str) -> str:
    barred = list(_barred(place, action))
    if not barred:
        return ""
    if len(barred) == len(_WHO):
        return f"Nobody may {action}, whatever rules say: neither people nor robots."
    if set(_CI) <= set(barred):
        barred = [name for name in barred if name not in _CI] + ["CI"]
    text = " and ".join(filter(None, [", ".join(barred[:-1]), barred[-1]]))
    return f"{text[:1].upper()}{text[1:]} never {action}, whatever rules say."


def _barred(place: Place, action: str) -> Iterator[str]:
    for name, principal in _WHO:
        verdict = hard_verdict(principal, place, action)
        if verdict is not None and not verdict.is_allowed:
            yield name


def _of_jobs(kind: str, action: str) -> str:
    """Reading is what most jobs do everywhere; that is not worth a line."""
    names = [name for name, rights in SYSTEM_RIGHTS.items() if kind in rights.get(action, ())]
    return f"Of our own jobs, {', '.join(names)} may {action}." if names and action != "pull" else ""
