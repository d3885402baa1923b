"""The section of a topology file that speaks of promotion paths, with their gates and approval rules."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from portal.actor import Actor
from portal.approvals.models import ApprovalRule
from portal.users.models import Role, Team
from promotions.gates import GATES
from promotions.workflow.models import GateConfig, PromotionPath
from registries.topology.models import Registry
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values

_RULE_FIELDS = {"role", "team", "required", "repositories"}


class PathSection(RowSection):
    """``paths``: allowed moves. ``gates``: gate name -> parameters; ``approvals``: rule name -> role or team, and how many."""

    name = "paths"
    model = PromotionPath
    fields: Mapping[str, Field] = {
        "source": Field(str, is_required=True),
        "target": Field(str, is_required=True),
        "repositories": Field(str, "**"),
        "tag_policy": Field(str, PromotionPath.TagPolicy.IMMUTABLE.value, choices=PromotionPath.TagPolicy.values),
        "enabled": Field(bool, True),
        "gates": Field(dict, is_required=True),
        "approvals": Field(dict, is_required=True),
    }
    links: ClassVar[Mapping[str, type[Model]]] = {"source": Registry, "target": Registry}
    columns: ClassVar[Mapping[str, str]] = {"repositories": "repository_glob", "enabled": "is_enabled"}

    def complete(self, key: str, values: Values) -> Values:
        values["gates"] = {name: self._gate(name, parameters or {}) for name, parameters in values["gates"].items()}
        values["approvals"] = {name: self._rule(name, rule or {}) for name, rule in values["approvals"].items()}
        return values

    def _gate(self, name: str, parameters: Any) -> dict[str, Any]:
        if name not in GATES:
            raise ValueError(f"gates.{name}: there is no such gate; known are {', '.join(GATES)}.")
        if not isinstance(parameters, dict):
            raise ValueError(f"gates.{name}: expected parameters below it.")
        return parameters

    def _rule(self, name: str, rule: Any) -> dict[str, Any]:
        if not isinstance(rule, dict) or set(rule) - _RULE_FIELDS:
            raise ValueError(f"approvals.{name}: expected {', '.join(sorted(_RULE_FIELDS))} below it.")
        if not rule.get("role") and not rule.get("team"):
            raise ValueError(f"approvals.{name}: say which role or which team must agree.")
        if rule.get("role") and rule["role"] not in Role.values:
            raise ValueError(f"approvals.{name}.role: {rule['role']} is none of {', '.join(Role.values)}.")
        empty = {"role": "", "team": "", "required": 1, "repositories": []}
        return empty | rule

    def read(self, row: Any, name: str) -> Any:
        if name == "gates":
            return {gate.gate: gate.parameters for gate in row.gates.all()}
        if name == "approvals":
            return {rule.name: _described(rule) for rule in _rules_of(row)}
        return super().read(row, name)

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        values = dict(values)
        gates, approvals = values.pop("gates"), values.pop("approvals")
        super().apply(actor, key, values)
        path = PromotionPath.objects.get(name=key)
        self._apply_gates(path, gates)
        self._apply_rules(path, approvals)

    def _apply_gates(self, path: PromotionPath, gates: Mapping[str, dict[str, Any]]) -> None:
        path.gates.exclude(gate__in=list(gates)).delete()
        for position, (name, parameters) in enumerate(gates.items()):
            gate = GateConfig.objects.filter(path=path, gate=name).first() or GateConfig(path=path, gate=name)
            gate.parameters, gate.position = parameters, position
            gate.full_clean()
            gate.save()

    def _apply_rules(self, path: PromotionPath, rules: Mapping[str, dict[str, Any]]) -> None:
        _rules_of(path).exclude(name__in=list(rules)).delete()
        for name, rule in rules.items():
            team = Team.objects.filter(name=rule["team"]).first()
            if rule["team"] and team is None:
                raise ValidationError({f"approvals.{name}.team": f"There is no team named {rule['team']}."})
            if rule["required"] < 1:
                raise ValidationError({f"approvals.{name}.required": "At least one person must agree."})
            ApprovalRule.objects.update_or_create(
                policy_label=path._meta.label_lower,
                policy_key=str(path.pk),
                name=name,
                defaults={
                    "role": rule["role"],
                    "team": team,
                    "required": rule["required"],
                    "repository_globs": rule["repositories"],
                    "is_active": True,
                },
            )


def _rules_of(path: PromotionPath) -> Any:
    return ApprovalRule.objects.filter(policy_label=path._meta.label_lower, policy_key=str(path.pk))


def _described(rule: ApprovalRule) -> dict[str, Any]:
    return {
        "role": rule.role,
        "team": rule.team.name if rule.team else "",
        "required": rule.required,
        "repositories": rule.repository_globs,
    }
