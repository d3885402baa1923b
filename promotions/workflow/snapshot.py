"""Which policy holds for a request? Gates and rules as they were when it was made: canonical JSON (RFC 8785) by its SHA-256."""

import hashlib
from typing import Any

import rfc8785

from portal.approvals.rules import PinnedRule, rules_of
from promotions.workflow.models import GateConfig, PolicySnapshot, PromotionPath

FORMAT = 1


def policy_body(path: PromotionPath) -> dict[str, Any]:
    """What the path asks for now."""
    gates = path.gates.exclude(enforcement=GateConfig.Enforcement.OFF).order_by("position", "gate")
    return {
        "format": FORMAT,
        "path": path.name,
        "source": path.source.name,
        "target": path.target.name,
        "tag_policy": path.tag_policy,
        "gates": [
            {
                "gate": row.gate,
                "enforcement": row.enforcement,
                "parameters": row.parameters,
                "remediation": row.remediation,
            }
            for row in gates
        ],
        "rules": [rule.as_json() for rule in rules_of(path._meta.label_lower, str(path.pk))],
    }


def fingerprint(value: object) -> str:
    """SHA-256 over the canonical form."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()  # type: ignore[arg-type]


def pin_policy(path: PromotionPath) -> PolicySnapshot:
    """The snapshot of what the path asks for now; equal policies share one row."""
    body = policy_body(path)
    row, _ = PolicySnapshot.objects.get_or_create(hash=fingerprint(body), defaults={"body": body})
    return row


def pinned_rules(policy: PolicySnapshot) -> list[PinnedRule]:
    return [PinnedRule.of_json(body) for body in policy.body["rules"]]
