"""Which credentials end soon, and whom does it concern? One small source for each kind of row; whoever has another kind adds one.

A source's rows have ``expires_at`` and ``warned_days``, the days before the end for which somebody was told last."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from portal.users.models import Membership, Role, Team, User
from registries.access.adopt.models import ImportedLogin
from registries.access.credential.secret_state import live_secrets, successors_of
from registries.access.models import PersonalToken, RobotAccount, Secret
from registries.topology.models import Credential

UNUSED: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Ending:
    """``what`` names it in a sentence, ``todo`` says what to do, at ``url``; never a secret. ``unused`` is whether nobody used it for long."""

    kind: str
    handle: str
    owner: str
    what: str
    ends_at: datetime
    todo: str
    url: str
    people: tuple[User, ...]
    unused: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """``rows``: those that are worth a warning when they end; ``describe``: one of them as it is told."""

    rows: Callable[[datetime], QuerySet[Any]]
    describe: Callable[[Any, datetime], Ending]


def personal_tokens(now: datetime) -> QuerySet[PersonalToken]:
    """Of people who are here, without those whose successor is in use."""
    rows = live_secrets(PersonalToken.objects.filter(user__is_active=True), now)
    return _without_followed(rows, now).select_related("user")


def robot_secrets(now: datetime) -> QuerySet[Secret]:
    """Of robots that are switched on, without those of CI jobs and those whose successor is in use."""
    on = Q(robot__expires_at=None) | Q(robot__expires_at__gt=now)
    rows = live_secrets(Secret.objects.filter(on, robot__is_active=True), now)
    return _without_followed(rows, now).select_related("robot__team", "shown_to")


def robot_accounts(now: datetime) -> QuerySet[RobotAccount]:
    return RobotAccount.objects.filter(is_active=True, expires_at__gt=now).select_related("team")


def own_credentials(now: datetime) -> QuerySet[Credential]:
    """What we use toward registries that do not trust our tokens."""
    return Credential.objects.filter(expires_at__gt=now).select_related("registry__owner").defer("secret")


def imported_logins(now: datetime) -> QuerySet[ImportedLogin]:
    """Old passwords of registries that were brought in, without those whose robot has used a secret of its own since."""
    on = Q(robot__expires_at=None) | Q(robot__expires_at__gt=now)
    rows = ImportedLogin.objects.filter(on, disabled_at=None, expires_at__gt=now, robot__is_active=True)
    since = Coalesce(OuterRef("last_used_at"), OuterRef("created_at"))
    followed = Secret.objects.filter(robot=OuterRef("robot"), is_keyless=False, last_used_at__gt=since)
    return rows.exclude(Exists(followed)).select_related("robot__team", "registry").defer("password_hash")


def _without_followed(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    return rows.exclude(Exists(successors_of(rows.model, now).filter(last_used_at__isnull=False)))


def _of_token(token: PersonalToken, now: datetime) -> Ending:
    return Ending(
        kind="personal token", handle=token.handle, owner=token.user.username,
        what=f"Your personal token “{token.name or token.handle}”", ends_at=_end(token),
        todo="Put another in its place; both work until this one ends:", url=_address("web:token-replace", token.pk),
        people=(token.user,), unused=_is_unused(token, now),
    )  # fmt: skip


def _of_secret(secret: Secret, now: datetime) -> Ending:
    seen_by = (secret.shown_to,) if secret.shown_to and secret.shown_to.is_active else ()
    return Ending(
        kind="robot secret", handle=secret.handle, owner=secret.robot.login,
        what=f"The secret “{secret.name or secret.handle}” of {secret.robot.login}", ends_at=_end(secret),
        todo=_todo(secret), url=settings.PORTAL_BASE_URL + replace_address(secret),
        people=_once([*people_of(secret.robot.team), *seen_by]), unused=_is_unused(secret, now),
    )  # fmt: skip


def _todo(secret: Secret) -> str:
    if secret.robot.kind == RobotAccount.Kind.CONSUMER:
        return "Put another in its place; both work until this one ends:"
    return (
        "A CI job can exchange it by itself (POST /api/v1/robot-secrets). By hand, a platform admin puts another in its place; "
        "both work until this one ends:"
    )


def replace_address(secret: Secret) -> str:
    """The page that puts another in a secret's place: for consumers the team's, for CI the admin's, where platform admins are."""
    if secret.robot.kind == RobotAccount.Kind.CONSUMER:
        return reverse("web:team-secret-replace", args=[secret.robot.team.name, secret.robot.name, secret.pk])
    return reverse("admin:access_secret_replace", args=[secret.pk])


def _of_account(robot: RobotAccount, now: datetime) -> Ending:
    return Ending(
        kind="robot account", handle=robot.login, owner=robot.team.name,
        what=f"The robot account {robot.login} of team {robot.team}", ends_at=_end(robot),
        todo="All its secrets end with it. A platform admin gives it a later end:",
        url=_address("admin:access_robotaccount_change", robot.pk), people=people_of(robot.team),
    )  # fmt: skip


def _of_credential(credential: Credential, now: datetime) -> Ending:
    registry = credential.registry
    owners = people_of(registry.owner) if registry.owner else ()
    return Ending(
        kind="registry credential", handle=credential.username, owner=registry.name,
        what=f"What the portal logs in with at {registry}, as {credential.username},", ends_at=_end(credential),
        todo="Make another there and give it to the portal:", url=_address("admin:topology_registry_change", registry.pk),
        people=_once([*platform_admins(), *owners]),
    )  # fmt: skip


def _of_login(login: ImportedLogin, now: datetime) -> Ending:
    return Ending(
        kind="imported login", handle=login.username, owner=login.robot.login,
        what=f"The old password of {login.username} at {login.registry}", ends_at=_end(login),
        todo=f"Give the jobs that use it a secret of {login.robot.login}, which a platform admin issues:",
        url=_address("admin:access_robotaccount_secret", login.robot_id), people=people_of(login.robot.team),
        unused=(login.last_used_at or login.created_at) < now - UNUSED,
    )  # fmt: skip


SOURCES: Final[tuple[Source, ...]] = (
    Source(personal_tokens, _of_token),
    Source(robot_secrets, _of_secret),
    Source(robot_accounts, _of_account),
    Source(own_credentials, _of_credential),
    Source(imported_logins, _of_login),
)


def people_of(team: Team) -> tuple[User, ...]:
    """Who looks after a team's things: its maintainers, else its members, else platform admins. Active people alone."""
    rows = Membership.objects.filter(team=team, user__is_active=True).select_related("user").order_by("user__username")
    members = [(row.user, row.role == Membership.TeamRole.MAINTAINER) for row in rows]
    maintainers = [user for user, is_maintainer in members if is_maintainer]
    return tuple(maintainers or [user for user, _ in members] or platform_admins())


def platform_admins() -> list[User]:
    holds = Q(role_grants__role=Role.PLATFORM_ADMIN) | Q(is_superuser=True)
    return list(User.objects.filter(holds, is_active=True).distinct().order_by("username"))


def _once(people: Iterable[User]) -> tuple[User, ...]:
    return tuple({person.pk: person for person in people}.values())


def _end(row: Any) -> datetime:
    ends: datetime = row.expires_at
    return ends


def _is_unused(stored: PersonalToken | Secret, now: datetime) -> bool:
    return (stored.last_used_at or stored.created_at) < now - UNUSED


def _address(view: str, key: int) -> str:
    return f"{settings.PORTAL_BASE_URL}{reverse(view, args=[key])}"
