"""From rows to the report: who the names of a log are, and what would become of what they did."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import User
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision, SeenRequest
from registries.access.adopt.report import PORTAL_TOKEN, Acting, Finding, Sighting, evaluate_sightings
from registries.access.adopt.suggest import Suggestion, plan_rules
from registries.access.models import AccessRule
from registries.access.snapshot import current_snapshot
from registries.access.who import Shown, principal_of, robot_principal
from registries.topology.models import Registry


def findings_of(adoption: Adoption, now: datetime) -> list[Finding]:
    """What would become of each row of the log, by the policy that tokens are made by."""
    rows = list(_sightings(adoption.seen_requests.all()))
    names = _acting(adoption, {row.username for row in rows if row.username}, now)
    snapshot = current_snapshot()
    return evaluate_sightings(snapshot.policy, snapshot.place(adoption.registry), rows, names, now)


def suggestions_of(adoption: Adoption, findings: Iterable[Finding], now: datetime) -> list[Suggestion]:
    """Rules that would let go on what would be refused, without those that are drafts already."""
    snapshot = current_snapshot()
    found = plan_rules(snapshot.policy, snapshot.place(adoption.registry), findings, now)
    drafts = set(
        AccessRule.objects.filter(registry=adoption.registry, is_draft=True).values_list(
            "team_id", "user_id", "robot_id", "is_public", "pattern", "may_pull", "may_push", "may_delete"
        )
    )
    return [one for one in found if _columns(one) not in drafts]


def make_drafts(actor: Actor, adoption: Adoption, now: datetime) -> list[AccessRule]:
    """The suggested rules as drafts: nothing is in force before somebody looks at them."""
    wanted = suggestions_of(adoption, findings_of(adoption, now), now)
    with transaction.atomic():
        made = [_draft(adoption.registry, one) for one in wanted]
        for rule in made:
            record(actor, "accessrule.created", rule, is_draft=True, adopted=adoption.registry.name)
    return made


def whom_text(one: Suggestion) -> str:
    """Whom a suggested rule names, in words."""
    if one.is_for_team:
        return f"the team of {one.principal}"
    return "strangers too" if one.principal.kind == "anonymous" else str(one.principal)


def _draft(registry: Registry, one: Suggestion) -> AccessRule:
    team, user, robot, is_public, pattern, may_pull, may_push, may_delete = _columns(one)
    return AccessRule.objects.create(
        registry=registry, team_id=team, user_id=user, robot_id=robot, is_public=is_public, pattern=pattern, may_pull=may_pull,
        may_push=may_push, may_delete=may_delete, is_draft=True, reason=f"Seen {one.count} times in the log of {registry}"[:255],
    )  # fmt: skip


def _columns(one: Suggestion) -> tuple[int | None, int | None, int | None, bool, str, bool, bool, bool]:
    rule = one.as_rule(0, 0)
    flags = ("pull" in one.actions, "push" in one.actions, "delete" in one.actions)
    return rule.team, rule.user, rule.robot, rule.is_public, rule.pattern, *flags


def _sightings(rows: QuerySet[SeenRequest]) -> Iterable[Sighting]:
    columns = ("username", "is_named", "address", "action", "repository", "count", "last_at", "is_mount")
    return (Sighting(*row) for row in rows.values_list(*columns))


def _acting(adoption: Adoption, usernames: set[str], now: datetime) -> dict[str, Acting]:
    """Imported logins first, for they work by themselves; then what was decided; then people of that very name."""
    people = {
        user.username: _person(user) for user in User.objects.filter(username__in=_few(usernames), is_active=True)
    }
    decided = {
        row.username: _decided(row) for row in NameDecision.objects.filter(adoption=adoption).select_related("person")
    }
    logins = ImportedLogin.objects.filter(registry=adoption.registry).select_related("robot").defer("password_hash")
    imported = {login.username: _imported(login, adoption.registry, now) for login in logins}
    return people | decided | imported


def _few(usernames: set[str]) -> list[str]:
    """SQLite takes 999 values where it was built long ago; more people than that have no login of their own at one registry."""
    return sorted(usernames)[:900]


def _person(user: User) -> Acting:
    obstacle = f"{user.username} is a person here, whose old password will not be taken"
    return Acting(principal_of(user), "own_name", obstacle, PORTAL_TOKEN)


def _decided(row: NameDecision) -> Acting:
    if row.person is not None:
        return _person(row.person)
    by = f" by {row.decided_by}" if row.decided_by else ""
    return Acting(None, "on_purpose", f"it was decided{by} that this name is refused", "", is_on_purpose=True)


def _imported(login: ImportedLogin, registry: Registry, now: datetime) -> Acting:
    robot = login.robot
    acting = robot_principal(robot.pk, robot.name, robot.kind, robot.team_id, Shown(registries=registry.name))
    if login.disabled_at is not None:
        return Acting(
            acting, "login_disabled", "its imported login is disabled", "Enable it, or give it a robot secret."
        )
    if login.expires_at <= now:
        return Acting(
            acting, "login_ended", f"its imported login ended on {login.expires_at:%Y-%m-%d}", "Give it a robot secret."
        )
    if not robot.is_active or (robot.expires_at is not None and robot.expires_at <= now):
        return Acting(acting, "robot_closed", f"{robot.login} is closed", "Open the robot account again.")
    return Acting(acting)
