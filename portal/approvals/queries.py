"""Who may agree, and who has?"""

from collections.abc import Collection, Sequence

from django.db import models
from django.db.models import Q

from portal.approvals.matching import RuleNeed
from portal.approvals.models import ApprovalRule, Decision
from portal.approvals.rules import PinnedRule
from portal.globs import matches_any
from portal.users.models import User


def eligible_people(rule: PinnedRule) -> set[str]:
    """User names of the active people a rule speaks of. A superuser counts only by a role that was granted."""
    named = Q(pk__in=rule.people_ids)
    if rule.role:
        named |= Q(role_grants__role=rule.role)
    if rule.team_id is not None:
        named |= Q(memberships__team=rule.team_id)
    return set(User.objects.filter(named, is_active=True).values_list("username", flat=True))


def needs_for(rules: Sequence[PinnedRule], repository: str, excluded: Collection[str]) -> list[RuleNeed]:
    """What the rules that speak of a repository need today, without those who may not decide."""
    speaking = [rule for rule in rules if matches_any(rule.repository_globs, repository)]
    barred = frozenset(excluded)
    return [RuleNeed(rule.name, rule.required, frozenset(eligible_people(rule)) - barred) for rule in speaking]


def decisions_on(subject: models.Model) -> list[Decision]:
    """Everything that was ever decided about a subject, oldest first."""
    label, key = subject._meta.label_lower, str(subject.pk)
    rows = Decision.objects.filter(subject_label=label, subject_key=key)
    return list(rows.select_related("user").order_by("id"))


def standing(decisions: Sequence[Decision], round_number: int) -> dict[str, Decision]:
    """User name -> the decision that counts now: each person's last of the round, unless taken back."""
    last = {row.user.username: row for row in decisions if row.round == round_number}
    return {name: row for name, row in last.items() if row.verdict != Decision.Verdict.WITHDRAW}


def approvers(decisions: Sequence[Decision], round_number: int) -> list[str]:
    """Who has agreed in this round, in the order they did."""
    return [name for name, row in standing(decisions, round_number).items() if row.verdict == Decision.Verdict.APPROVE]


def policies_of(user: User, policy_label: str) -> list[str]:
    """Keys of the policies with a rule that names this person by role, team or name."""
    rules = ApprovalRule.objects.filter(policy_label=policy_label, is_active=True)
    named = Q(role__in=user.role_grants.values("role")) | Q(team__memberships__user=user) | Q(people=user)
    return sorted(set(rules.filter(named).values_list("policy_key", flat=True)))
