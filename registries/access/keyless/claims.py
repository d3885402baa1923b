"""Pure: do the claims of a CI job satisfy a rule? All conditions must hold; what is missing never does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# What every token has, or what is checked elsewhere: it tells nobody apart.
_OF_THE_TOKEN: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
# Names can be given up and taken by somebody else; these cannot. One of them must stand in a rule, without a wildcard.
IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "github": ("repository_id", "repository_owner_id"),
    "gitlab": ("project_id", "namespace_id"),
}
MAX_VALUE: Final = 500


@dataclass(frozen=True, slots=True)
class Conditions:
    """Claim names with the values that are allowed; ``kind`` is the issuer's."""

    kind: str
    allowed: Mapping[str, tuple[str, ...]]


def match_claims(conditions: Conditions, claims: Mapping[str, Any]) -> str:
    """Why the claims do not match; empty when they do. A rule without conditions matches nothing."""
    if not conditions.allowed:
        return "the rule has no conditions"
    # It runs with the rights of the repository on what a stranger proposes.
    is_foreign = conditions.kind == "github" and claims.get("event_name") == "pull_request_target"
    if is_foreign and "event_name" not in conditions.allowed:
        return "event_name is pull_request_target, which a rule must allow by name"
    for name, values in conditions.allowed.items():
        if name not in claims:
            return f"the claim {name} is missing"
        said = claim_text(claims[name])
        if said is None:
            return f"the claim {name} is no plain value"
        if not any(_fits(value, said) for value in values):
            return f"the claim {name} is {said[:120]!r}, not {' or '.join(values)[:200]}"
    return ""


def claim_text(value: Any) -> str | None:
    """As it is compared: issuers write ids and flags as text, as numbers, as true. None for lists, objects and null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


def condition_faults(kind: str, conditions: Any) -> list[str]:
    """What is wrong with the conditions of a rule, as sentences; none when it can be used."""
    if not isinstance(conditions, dict) or not conditions:
        return ["Give at least one claim with its allowed values; a rule without conditions would let anybody in."]
    faults = [fault for name, values in conditions.items() if (fault := _fault(name, values))]
    if faults:
        return faults
    ids = IDENTITIES.get(kind)
    if ids and not any(name in conditions and _is_exact(conditions[name]) for name in ids):
        return [f"Name {' or '.join(ids)} with exact values: names of projects can be given up and taken by others."]
    if all("*" in value for values in conditions.values() for value in values):
        return ["At least one value must be exact."]
    return []


def _is_exact(values: list[str]) -> bool:
    return not any("*" in value for value in values)


def _fault(name: object, values: object) -> str:
    if not isinstance(name, str) or not name or name in _OF_THE_TOKEN:
        return f"{name!r} is no claim that tells jobs apart."
    if not isinstance(values, list) or not values:
        return f"{name}: give a list of one or more allowed values."
    for value in values:
        if not isinstance(value, str) or len(value) > MAX_VALUE or not value.replace("*", "").strip(" :/"):
            return f"{name}: {value!r} is no value; write it as text with more than wildcards in it."
    return ""


def _fits(pattern: str, said: str) -> bool:
    """The whole text; ``*`` stops at a colon and at a slash."""
    if "*" not in pattern:
        return pattern == said
    parts = (re.escape(part) for part in re.sub(r"\*+", "*", pattern).split("*"))
    return len(said) <= MAX_VALUE and re.fullmatch("[^:/]*".join(parts), said) is not None
