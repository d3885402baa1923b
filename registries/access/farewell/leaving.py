"""What hangs on a person? Asked when they leave: what they owned, which secrets they were shown, and what nobody else could do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.socialaccount.models import SocialAccount
from django.db.models import Q

from portal.approvals.models import ApprovalRule, Delegation
from portal.approvals.queries import eligible_people
from portal.approvals.rules import PinnedRule
from portal.users.models import Membership, Team, User
from registries.access.asking.request_models import AccessRequest
from registries.access.credential.secret_state import live_secrets
from registries.access.models import AccessRule, PersonalToken, Secret
from registries.topology.models import Registry

DAYS_FOR_USED: Final = 7


@dataclass(frozen=True, slots=True)
class TeamLeft:
    """``candidates`` could look after it; only where nobody else does."""

    team: Team
    is_maintainer: bool
    is_only_maintainer: bool
    candidates: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalLeft:
    """A rule that too few people could fill without this one; ``others`` could."""

    rule: ApprovalRule
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """``secrets`` are those of robots that the person was shown and that still work."""

    person: User
    roles: tuple[str, ...]
    teams: Sequence[TeamLeft]
    tokens: Sequence[PersonalToken]
    secrets: Sequence[Secret]
    rules: Sequence[AccessRule]
    requests: Sequence[AccessRequest]
    delegations: Sequence[Delegation]
    approvals: Sequence[ApprovalLeft]
    contacts: Sequence[Registry | Team]
    sign_ins: Sequence[SocialAccount]

    @property
    def lonely_teams(self) -> list[TeamLeft]:
        """Those that nobody would maintain."""
        return [row for row in self.teams if row.is_only_maintainer]


def holdings_of(person: User, now: datetime) -> Holdings:
    """A bounded number of queries, one more for each team they alone maintain and each approval rule that names them."""
    return Holdings(
        person=person,
        roles=tuple(sorted(role.replace("_", " ") for role in person.role_names)),
        teams=[_team(row) for row in person.memberships.select_related("team").order_by("team__name")],
        tokens=list(live_secrets(person.personal_tokens.all(), now)),
        secrets=shown_to(person, now),
        rules=list(rules_naming(person, now)),
        requests=list(_waiting(person)),
        delegations=list(running_delegations(person, now)),
        approvals=list(_only_theirs(person)),
        contacts=[*_reached_by(Registry, person), *_reached_by(Team, person)],
        sign_ins=list(SocialAccount.objects.filter(user=person).order_by("provider", "uid")),
    )


def shown_to(person: User, now: datetime) -> list[Secret]:
    """Robot secrets the person has seen and that still work."""
    rows = live_secrets(person.secrets_shown.all(), now).select_related("robot__team")
    return list(rows.order_by("robot__name", "pk"))


def usual_days(secret: Secret) -> int:
    """How long it goes on, unless somebody chooses otherwise: what is in use is exchanged first, what is not ends now."""
    return DAYS_FOR_USED if secret.last_used_at else 0


def rules_naming(person: User, now: datetime) -> Sequence[AccessRule]:
    """Access rules about the person, in force or to come."""
    rows = AccessRule.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), user=person)
    return list(rows.select_related("user", "zone", "registry").order_by("pk"))


def running_delegations(person: User, now: datetime) -> Sequence[Delegation]:
    """Who decides in their name, and for whom they do."""
    rows = Delegation.objects.filter(Q(principal=person) | Q(delegate=person), ends_at__gt=now)
    return list(rows.select_related("principal", "delegate").order_by("pk"))


def only_maintainer_of(person: User) -> list[Team]:
    """Teams that no other active person maintains."""
    mine = Team.objects.filter(memberships__user=person, memberships__role=Membership.TeamRole.MAINTAINER)
    return [team for team in mine.order_by("name") if not _other_maintainers(team, person)]


def _other_maintainers(team: Team, person: User) -> bool:
    maintaining = team.memberships.filter(role=Membership.TeamRole.MAINTAINER, user__is_active=True)
    return maintaining.exclude(user=person).exists()


def _team(row: Membership) -> TeamLeft:
    is_maintainer = row.role == Membership.TeamRole.MAINTAINER
    if not is_maintainer or _other_maintainers(row.team, row.user):
        return TeamLeft(row.team, is_maintainer, False)
    members = User.objects.filter(memberships__team=row.team, is_active=True).exclude(pk=row.user_id)
    return TeamLeft(row.team, True, True, tuple(members.order_by("username")))


def _waiting(person: User) -> Sequence[AccessRequest]:
    rows = AccessRequest.objects.filter(requester=person, state=AccessRequest.State.WAITING)
    return list(rows.select_related("registry", "requester"))


def _only_theirs(person: User) -> list[ApprovalLeft]:
    named = Q(role__in=person.role_grants.values("role")) | Q(team__memberships__user=person) | Q(people=person)
    rules = ApprovalRule.objects.filter(named, is_active=True).distinct().prefetch_related("people").order_by("name")
    found = []
    for rule in rules:
        others = eligible_people(PinnedRule.of_row(rule)) - {person.username}
        if len(others) < rule.required:
            found.append(ApprovalLeft(rule, tuple(sorted(others))))
    return found


def _reached_by(model: type[Registry] | type[Team], person: User) -> list[Registry | Team]:
    """Where the person's address, or their name as a word of its own, is how one reaches somebody."""
    word = rf"(^|[^a-z0-9._-]){person.username.replace('.', '[.]')}($|[^a-z0-9._-])"
    return list(
        model._default_manager.filter(Q(contact__icontains=person.email) | Q(contact__iregex=word)).order_by("name")
    )
