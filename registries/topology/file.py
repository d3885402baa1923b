"""Read, compare, apply and write topology files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction

from portal.actor import Actor, system
from portal.audit.record import record
from registries.topology.sections import Field, Section, Values, all_sections

KINDS: dict[type, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "names with values"
}  # fmt: skip


class TopologyFileError(Exception):
    """The file cannot be taken; every finding names the place and says what to write."""

    def __init__(self, findings: Iterable[str]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(self.findings))


@dataclass(frozen=True)
class Change:
    """``verb`` is create, change or leave (there, but not in the file). ``fields``: name -> (before, after)."""

    verb: str
    section: str
    key: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        sign = {"create": "+", "change": "~", "leave": "?"}[self.verb]
        note = "  (not in the file; left alone)" if self.verb == "leave" else ""
        return "\n".join([f"{sign} {self.section} {self.key}{note}", *self._lines()])

    def _lines(self) -> Iterator[str]:
        for name, (before, after) in self.fields.items():
            if self.verb == "change":
                yield f"    {name}: {_shown(before)} -> {_shown(after)}"
            elif after not in (None, "", [], {}, False):
                yield f"    {name}: {_shown(after)}"


def _shown(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).replace("\n...", "").strip()


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice at one place, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands here twice", problem_mark=key.start_mark)
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_topology(text: str) -> dict[str, dict[str, Values]]:
    """Section -> key -> complete values. Raises TopologyFileError with all findings at once."""
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise TopologyFileError([f"This is not YAML: {' '.join(str(error).split())}"]) from error
    if raw is None:
        raise TopologyFileError(["The file is empty."])
    if not isinstance(raw, dict):
        raise TopologyFileError(["Expected sections at the top of the file, such as zones: and registries:."])
    sections = {section.name: section for section in all_sections()}
    findings = [
        f"{name}: there is no such section; known are {', '.join(sections)}." for name in raw if name not in sections
    ]
    wanted: dict[str, dict[str, Values]] = {}
    for name, section in sections.items():
        if name in raw:
            wanted[name] = dict(_entries(section, raw[name] or {}, findings))
    if findings:
        raise TopologyFileError(findings)
    return wanted


def _entries(section: Section, raw: Any, findings: list[str]) -> Iterator[tuple[str, Values]]:
    if not isinstance(raw, dict):
        findings.append(f"{section.name}: expected names with fields below them.")
        return
    for key, fields in raw.items():
        place = f"{section.name}.{key}"
        before = len(findings)
        values = _values(section, place, {} if fields is None else fields, findings)
        if len(findings) > before:
            continue
        try:
            yield str(key), section.complete(str(key), values)
        except ValueError as error:
            findings.append(f"{place}: {error}")


def _values(section: Section, place: str, raw: Any, findings: list[str]) -> Values:
    if not isinstance(raw, dict):
        findings.append(f"{place}: expected fields such as {', '.join(list(section.fields)[:3])}.")
        return {}
    known = ", ".join(section.fields)
    findings += [
        f"{place}.{name}: there is no such field; known are {known}." for name in raw if name not in section.fields
    ]
    return {name: _value(spec, f"{place}.{name}", raw.get(name), findings) for name, spec in section.fields.items()}


def _value(spec: Field, place: str, value: Any, findings: list[str]) -> Any:
    if value is None:
        if spec.is_required:
            findings.append(f"{place}: is missing.")
        return spec.default
    kinds = spec.kind if isinstance(spec.kind, tuple) else (spec.kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        findings.append(f"{place}: expected {' or '.join(KINDS[kind] for kind in kinds)}, got {_shown(value)}.")
    elif spec.choices and value not in spec.choices:
        findings.append(f"{place}: {_shown(value)} is none of {', '.join(spec.choices)}.")
    return value


def plan_topology(wanted: dict[str, dict[str, Values]]) -> list[Change]:
    """What applying would do; reads rows, changes nothing."""
    changes: list[Change] = []
    for section in all_sections():
        if section.name in wanted:
            changes += compare(section.name, section.current(), wanted[section.name])
    return changes


def compare(section: str, current: dict[str, Values], wanted: dict[str, Values]) -> list[Change]:
    """Pure: the changes that lead from the present entries to the wanted ones; nothing is ever removed."""
    changes = []
    for key, values in wanted.items():
        before = current.get(key)
        if before is None:
            changes.append(Change("create", section, key, {name: (None, value) for name, value in values.items()}))
            continue
        fields = {name: (before.get(name), value) for name, value in values.items() if before.get(name) != value}
        if fields:
            changes.append(Change("change", section, key, fields))
    changes += [Change("leave", section, key) for key in current if key not in wanted]
    return changes


def apply_topology(actor: Actor, wanted: dict[str, dict[str, Values]]) -> list[Change]:
    """Make it so, all or nothing. Raises TopologyFileError that names the entry which could not be taken."""
    with transaction.atomic():
        changes = plan_topology(wanted)
        todo = {(change.section, change.key) for change in changes if change.verb != "leave"}
        for section in all_sections():
            entries = wanted.get(section.name, {}).items()
            for key, values in sorted(entries, key=lambda entry: section.rank(entry[1])):
                if (section.name, key) in todo:
                    _apply_entry(actor, section, key, values)
        done = [f"{change.verb} {change.section} {change.key}" for change in changes if change.verb != "leave"]
        if done:
            record(actor, "topology.applied", name="topology", changes=done)
    return changes


def rehearse_topology(wanted: dict[str, dict[str, Values]]) -> list[Change]:
    """Apply and take all of it back: a plan that is shown is one that can be carried out. Raises TopologyFileError."""
    with transaction.atomic():
        changes = apply_topology(system("topology"), wanted)
        transaction.set_rollback(True)
    return changes


def _apply_entry(actor: Actor, section: Section, key: str, values: Values) -> None:
    try:
        with transaction.atomic():
            section.apply(actor, key, values)
    except ValidationError as error:
        messages = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        raise TopologyFileError(
            f"{section.name}.{key}{'.' + name if name and name != '__all__' else ''}: {' '.join(texts)}"
            for name, texts in messages.items()
        ) from error


def export_topology() -> str:
    """What is there, as a file that reads back to the same."""
    document: dict[str, Any] = {}
    for section in all_sections():
        entries = {key: _short(section, values) for key, values in section.current().items()}
        if entries:
            document[section.name] = entries
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _short(section: Section, values: Values) -> Values:
    return {name: value for name, value in values.items() if value != section.fields[name].default}
