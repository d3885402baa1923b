"""Are the parameters of a gate what the gate expects? Each reader answers a value or raises ParameterError."""

import re
from collections.abc import Collection
from typing import Any

from promotions.gates.base import ParameterError, Parameters

LONGEST_EXPRESSION = 500


def only(parameters: Parameters, known: Collection[str]) -> None:
    """A misspelt parameter that is silently ignored would be a check that does not check."""
    strange = sorted(set(parameters) - set(known))
    if strange:
        raise ParameterError(f"“{strange[0]}” is not a parameter of this gate; known are {', '.join(sorted(known))}.")


def flag(parameters: Parameters, name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise ParameterError(f"“{name}” must be true or false.")
    return value


def word(parameters: Parameters, name: str, default: str = "") -> str:
    value = parameters.get(name, default)
    if not isinstance(value, str):
        raise ParameterError(f"“{name}” must be text.")
    return value


def choice(parameters: Parameters, name: str, choices: Collection[str], default: str) -> str:
    value = word(parameters, name, default)
    if value not in choices:
        raise ParameterError(f"“{name}” is “{value}”; expected one of {', '.join(choices)}.")
    return value


def words(parameters: Parameters, name: str) -> tuple[str, ...]:
    value: Any = parameters.get(name, [])
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
        raise ParameterError(f'“{name}” must be a list of texts, for example ["one", "two"].')
    return tuple(value)


def expression(text: str, name: str) -> re.Pattern[str]:
    """A regular expression that must match the whole value."""
    if len(text) > LONGEST_EXPRESSION:
        raise ParameterError(f"“{name}” is longer than {LONGEST_EXPRESSION} characters.")
    try:
        return re.compile(text)
    except re.error as error:
        raise ParameterError(f"“{name}” is not a regular expression: {error}.") from error
