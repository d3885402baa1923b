"""What pages and other floors ask about access."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from portal.users.models import Team, User
from registries.access.explain import Explanation, explain
from registries.access.models import Namespace, PersonalToken, RobotAccount
from registries.access.policy import ACTIONS
from registries.access.snapshot import current_snapshot
from registries.access.visibility import visible_to
from registries.access.who import principal_of
from registries.topology.models import Registry, Zone


def owner_team(zone: Zone, repository_name: str) -> Team | None:
    """The team whose namespace holds the name; the longest prefix decides."""
    best = owning_namespace(zone, repository_name)
    return best.team if best else None


def owning_namespace(zone: Zone, repository_name: str) -> Namespace | None:
    """The namespace that holds the name: the one with the longest prefix."""
    parts = repository_name.split("/")
    prefixes = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    rows = Namespace.objects.filter(zone=zone, prefix__in=prefixes).select_related("team")
    return max(rows, key=lambda row: len(row.prefix), default=None)


def may(subject: User | RobotAccount, action: str, registry: Registry, repository: str) -> bool:
    """Whether somebody may do this now, by the policy that tokens are made by."""
    return explain(principal_of(subject), action, registry, repository, timezone.now()).is_allowed


def visible_repositories(subject: User | RobotAccount) -> Q:
    """A condition on repositories: those somebody may pull or whose names belong to their teams; all of them for people with a role.

    The only place where this is decided; ``may`` agrees with it name by name."""
    if isinstance(subject, User) and subject.has_role():
        return Q()
    return visible_to(current_snapshot(), principal_of(subject), timezone.now())


def rights_at(subject: User | RobotAccount, registry: Registry, repository: str) -> dict[str, Explanation]:
    """Pull, push and delete on one repository, each with its reason."""
    principal, now = principal_of(subject), timezone.now()
    return {action: explain(principal, action, registry, repository, now) for action in ACTIONS}


def live_tokens(user: User) -> Iterable[PersonalToken]:
    """Somebody's personal tokens that can still be used."""
    now = timezone.now()
    return PersonalToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), user=user, revoked_at=None)
