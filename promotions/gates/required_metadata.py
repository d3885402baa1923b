"""Does the artifact say about itself what it must say?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promotions.gates import parameters as read
from promotions.gates.base import ImageEvidence, ParameterError, Parameters, Status, Verdict

PLACES = ("config_label", "annotation", "either")
# Expressions come from admins, values from whoever builds: a long value must not become a slow match.
LONGEST_VALUE = 1024


@dataclass(frozen=True)
class Key:
    name: str
    regex: str
    allow_empty: bool


class RequiredMetadata:
    """``keys``: names, or objects with name, regex, allow_empty; ``where``: config_label, annotation or either; ``all_platforms``."""

    name = "required_metadata"
    title = "Required labels"

    def check_parameters(self, parameters: Parameters) -> None:
        read.only(parameters, {"keys", "where", "all_platforms"})
        if not _keys(parameters):
            raise ParameterError("“keys” must name at least one label.")
        read.choice(parameters, "where", PLACES, "config_label")
        read.flag(parameters, "all_platforms", default=True)

    def evaluate(self, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict:
        where = read.choice(parameters, "where", PLACES, "config_label")
        is_all = read.flag(parameters, "all_platforms", default=True)
        if where != "annotation" and evidence.unread and is_all:
            names = ", ".join(evidence.unread)
            return Verdict(Status.ERROR, f"The labels of {names} have not been read yet.", {"unread": evidence.unread})
        keys = _keys(parameters)
        sets = _sets(evidence, where)
        findings = {place: [fault for key in keys if (fault := _fault(key, found))] for place, found in sets.items()}
        bad = {place: faults for place, faults in findings.items() if faults}
        is_good = bool(findings) and (not bad if is_all else len(bad) < len(findings))
        seen = tuple({"kind": "labels", "name": place} for place in sets)
        if is_good:
            return Verdict(Status.PASS, f"All of {', '.join(key.name for key in keys)} are given.", {}, seen)
        lines = [f"{place}: {fault}" for place, faults in bad.items() for fault in faults]
        summary = lines[0] if lines else "There is no platform whose labels could be read."
        more = f" {len(lines) - 1} more of the kind." if len(lines) > 1 else ""
        return Verdict(Status.FAIL, f"{summary}{more}", {"faults": lines}, seen, _remedy(keys, where))


def _keys(parameters: Parameters) -> tuple[Key, ...]:
    value: Any = parameters.get("keys", [])
    if not isinstance(value, list | tuple):
        raise ParameterError("“keys” must be a list of label names or of objects with a name.")
    return tuple(_key(item) for item in value)


def _key(item: Any) -> Key:
    entry = {"name": item} if isinstance(item, str) else item
    if not isinstance(entry, Mapping):
        raise ParameterError("Each of “keys” must be a label name or an object with a name.")
    read.only(entry, {"name", "regex", "allow_empty"})
    name, regex = read.word(entry, "name"), read.word(entry, "regex")
    if not name:
        raise ParameterError("One of “keys” has no name.")
    read.expression(regex, f"regex of {name}")
    return Key(name, regex, read.flag(entry, "allow_empty", default=False))


def _sets(evidence: ImageEvidence, where: str) -> dict[str, Mapping[str, str]]:
    """What has to carry the keys: each platform's labels, or the annotations of the whole."""
    if where == "annotation":
        return {"the manifest": evidence.annotations}
    if where == "config_label":
        return dict(evidence.labels_by_platform)
    return {place: {**evidence.annotations, **labels} for place, labels in evidence.labels_by_platform.items()}


def _fault(key: Key, found: Mapping[str, str]) -> str:
    value = found.get(key.name)
    if value is None:
        return f"{key.name} is missing."
    if not value.strip():
        return "" if key.allow_empty else f"{key.name} is empty."
    if not key.regex:
        return ""
    if len(value) > LONGEST_VALUE:
        return f"{key.name} is longer than {LONGEST_VALUE} characters."
    is_match = read.expression(key.regex, key.name).fullmatch(value) is not None
    return "" if is_match else f"{key.name} is “{value[:80]}”, which does not match “{key.regex}”."


def _remedy(keys: tuple[Key, ...], where: str) -> str:
    first = keys[0].name
    how = f"--annotation {first}=..." if where == "annotation" else f"--label {first}=..."
    return f"Build again with {how}; a new digest needs a new request."
