"""Make somebody's teams and roles what the provider's groups say, at every sign-in; each change with its event."""

from portal.actor import Actor
from portal.audit.record import record
from portal.users.accounts import grant_role, join_team, leave_team, revoke_role
from portal.users.doors import providers
from portal.users.last_admin import LastAdminError
from portal.users.models import Membership, Role, RoleGrant, Team, User
from portal.users.oidc.groups import MAINTAINER, Followed, owner_of, plan_roles, plan_teams
from portal.users.oidc.identity import Identity


def follow_groups(actor: Actor, person: User, identity: Identity) -> None:
    """Runs in the caller's transaction. Unknown groups change nothing, which is recorded where anything hangs on them."""
    teams = _followed(person, identity)
    roles = {role: _prefixed(identity, groups) for role, groups in identity.provider.role_groups.items()}
    if identity.groups is None:
        if teams or roles:
            record(actor, "groups.unknown", person, provider=identity.provider.key, reason=identity.groups_fault)
        return
    by_key = Team.objects.in_bulk([team.key for team in teams])
    for step in plan_teams(identity.groups, teams):
        team = by_key[step.key]
        if step.role:
            join_team(actor, team, person, as_maintainer=step.role == MAINTAINER, group=step.group)
        else:
            leave_team(actor, team, person, group=step.group)
    held = RoleGrant.objects.filter(user=person).values_list("role", flat=True)
    give, take = plan_roles(identity.groups, roles, list(held))
    for role in give:
        grant_role(actor, person, Role(role))
    for role in take:
        _take(actor, person, Role(role))
    person.__dict__.pop("_role_names", None)


def is_let_in(identity: Identity) -> bool:
    """Whether a group that is asked for is among those known; any of several is enough."""
    wanted = _prefixed(identity, identity.provider.required_groups)
    return not wanted or (identity.groups is not None and not identity.groups.isdisjoint(wanted))


def _take(actor: Actor, person: User, role: Role) -> None:
    """A provider that empties a group by mistake must not leave the portal without an admin."""
    try:
        revoke_role(actor, person, role)
    except LastAdminError as error:
        record(actor, "role.kept", person, role=role.value, reason=str(error))


def _prefixed(identity: Identity, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Groups of one's own settings are written as the provider names them."""
    return tuple(identity.provider.group_prefix + group for group in groups)


def _followed(person: User, identity: Identity) -> list[Followed]:
    """Teams whose group this provider has the say about."""
    prefixes = {key: each.group_prefix for key, each in providers().items() if each.groups_claim}
    held = dict(Membership.objects.filter(user=person).values_list("team_id", "role"))
    rows = Team.objects.exclude(external_group="").order_by("name")
    return [
        Followed(team.pk, team.external_group, team.external_maintainer_group, held.get(team.pk, ""))
        for team in rows
        if owner_of(team.external_group, prefixes) == identity.provider.key
    ]
