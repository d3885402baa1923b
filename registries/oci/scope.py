"""What a token is asked for: `type:name:actions` (Docker token specification, "Token Scope")."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_SCOPES = 100
MAX_ACTIONS = 32
MAX_NAME_BYTES = 255
_MAX_SHOWN = 300

_TYPE = re.compile(r"([a-z0-9]+)(?:\([a-z0-9]+\))?", re.ASCII)
_NAME = re.compile(r"[!-~]*", re.ASCII)
_ACTION = re.compile(r"[a-z]+|\*", re.ASCII)
_COMMON = {"pull": 0, "push": 1, "delete": 2}


@dataclass(frozen=True)
class Scope:
    """One resource and what is wanted of it. The name is kept byte for byte and is not checked against any grammar."""

    type: str
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        ordered = sorted(self.actions, key=lambda action: (_COMMON.get(action, 3), action))
        return f"{self.type}:{self.name}:{','.join(ordered)}"

    @property
    def is_nameless(self) -> bool:
        """zot asks `repository::pull` for its catalog; a grant on it opens every name there."""
        return not self.name

    @classmethod
    def repository(cls, name: str, *actions: str) -> "Scope":
        return cls("repository", name, frozenset(actions))


CATALOG = Scope("registry", "catalog", frozenset({"*"}))


@dataclass(frozen=True)
class ParsedScopes:
    scopes: tuple[Scope, ...]
    rejected: tuple[tuple[str, str], ...] = ()


class _Malformed(ValueError):
    pass


def parse_scopes(values: Iterable[str]) -> ParsedScopes:
    """Read every `scope` value of a request; each may hold several, split by spaces.

    One malformed scope does not void the others: it comes back in `rejected` with the reason.
    Scopes of one resource are merged in the order they came; a class suffix such as `(plugin)` is dropped.
    """
    merged: dict[tuple[str, str], frozenset[str]] = {}
    rejected: list[tuple[str, str]] = []
    for count, text in enumerate(part for value in values for part in value.split(" ") if part):
        if count >= MAX_SCOPES:
            rejected.append((text[:_MAX_SHOWN], f"more than {MAX_SCOPES} scopes in one request; the rest is left out"))
            break
        try:
            scope = _parse(text)
        except _Malformed as error:
            rejected.append((text[:_MAX_SHOWN], str(error)))
            continue
        key = scope.type, scope.name
        merged[key] = merged.get(key, frozenset()) | scope.actions
    return ParsedScopes(tuple(Scope(*key, actions) for key, actions in merged.items()), tuple(rejected))


def _parse(text: str) -> Scope:
    # The name may hold colons (a host with its port), so: up to the first, after the last, the middle.
    kind, first, rest = text.partition(":")
    name, last, actions = rest.rpartition(":")
    if not first or not last:
        raise _Malformed("expected type:name:actions")
    match = _TYPE.fullmatch(kind)
    if match is None:
        raise _Malformed("the type is not lower-case letters and digits")
    if _NAME.fullmatch(name) is None:
        raise _Malformed("the name has characters outside printable ASCII")
    if len(name) > MAX_NAME_BYTES:
        raise _Malformed(f"the name is longer than {MAX_NAME_BYTES} bytes")
    return Scope(match[1], name, _actions(actions))


def _actions(text: str) -> frozenset[str]:
    words = [word for word in text.split(",", MAX_ACTIONS) if word]
    if len(words) > MAX_ACTIONS:
        raise _Malformed(f"more than {MAX_ACTIONS} actions")
    if not words:
        raise _Malformed("no action is named")
    if not all(_ACTION.fullmatch(word) for word in words):
        raise _Malformed("an action is neither lower-case letters nor *")
    return frozenset(words)
