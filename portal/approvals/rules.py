"""A rule as a value: read from its row now, or from the snapshot in which it was pinned."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from portal.approvals.models import ApprovalRule


@dataclass(frozen=True)
class PinnedRule:
    """``required`` of the people who hold the role, belong to the team or are named."""

    name: str
    required: int
    role: str
    team_id: int | None
    people_ids: tuple[int, ...]
    repository_globs: tuple[str, ...]

    @classmethod
    def of_row(cls, rule: ApprovalRule) -> Self:
        people = tuple(sorted(person.pk for person in rule.people.all()))
        return cls(rule.name, rule.required, rule.role, rule.team_id, people, tuple(rule.repository_globs))

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Self:
        return cls(
            name=body["name"],
            required=body["required"],
            role=body["role"],
            team_id=body["team_id"],
            people_ids=tuple(body["people_ids"]),
            repository_globs=tuple(body["repository_globs"]),
        )

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "people_ids": list(self.people_ids), "repository_globs": list(self.repository_globs)}


def rules_of(policy_label: str, policy_key: str) -> Sequence[PinnedRule]:
    """The rules in force for a policy, by name."""
    rows = ApprovalRule.objects.filter(policy_label=policy_label, policy_key=policy_key, is_active=True)
    return [PinnedRule.of_row(rule) for rule in rows.prefetch_related("people").order_by("name")]
