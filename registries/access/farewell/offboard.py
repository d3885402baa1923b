"""Let a person go: the account is off, what they hold ends, and what they knew is exchanged. One transaction, and twice is once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.outbox.post import tell
from portal.users.accounts import join_team, switch_off
from portal.users.last_admin import LastAdminError, an_admin_remains
from portal.users.models import Team, User
from registries.access.credential.credential_ends import people_of, replace_address
from registries.access.credential.credentials import revoke_secret
from registries.access.credential.secret_state import live_secrets
from registries.access.farewell.leaving import (
    only_maintainer_of,
    rules_naming,
    running_delegations,
    shown_to,
    usual_days,
)
from registries.access.models import PersonalToken, RobotAccount, Secret

TOPIC: Final = "credential.replace"
LONGEST: Final = 30


class OffboardRefusedError(Exception):
    """Nothing was done; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """``days`` by the key of a secret: how long it still works, 0 for not at all. ``successors`` by the key of a team. What is not
    named goes its usual way."""

    days: Mapping[int, int] = field(default_factory=dict)
    successors: Mapping[int, User] = field(default_factory=dict)


@dataclass(slots=True)
class Done:
    """How much was done; all nothing when somebody had left before."""

    was_active: bool = False
    sessions: int = 0
    tokens: int = 0
    revoked: list[Secret] = field(default_factory=list)
    ending: list[Secret] = field(default_factory=list)
    rules: int = 0
    delegations: int = 0
    teams: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return self == Done()

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {
            "sessions": self.sessions,
            "tokens": self.tokens,
            "revoked": [secret.handle for secret in self.revoked],
            "ending": [secret.handle for secret in self.ending],
            "rules": self.rules,
            "delegations": self.delegations,
            "successors": self.teams,
        }


def offboard(actor: Actor, person: User, farewell: Farewell) -> Done:
    """Raises OffboardRefusedError."""
    try:
        with an_admin_remains():
            return _let_go(actor, person, farewell)
    except LastAdminError as error:
        raise OffboardRefusedError(str(error)) from error


def _let_go(actor: Actor, person: User, farewell: Farewell) -> Done:
    """In one transaction, in which whoever changes what admins there are waits for its turn."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=person.pk)
        _check(actor, person, farewell)
        now, done = timezone.now(), Done(was_active=person.is_active)
        _hand_over(actor, person, farewell, done)
        switch_off(actor, person)
        done.sessions = end_sessions(person, now)
        for token in live_secrets(PersonalToken.objects.filter(user=person), now):
            revoke_secret(actor, token)
            done.tokens += 1
        for secret in shown_to(person, now):
            _end_secret(actor, secret, farewell.days.get(secret.pk, usual_days(secret)), now, done)
        _end_rules(actor, person, now, done)
        _end_delegations(actor, person, now, done)
        _tell_teams(person, done)
        if not done.is_nothing:
            record(actor, "person.offboarded", person, **done.facts())
    return done


def end_sessions(person: User, now: datetime) -> int:
    """Everywhere the person is signed in, they are not any more."""
    key = str(person.pk)
    rows = Session.objects.filter(expire_date__gt=now).iterator()
    gone = [row.session_key for row in rows if row.get_decoded().get(SESSION_KEY) == key]
    for session in gone:
        Session.objects.filter(session_key=session).delete()
    return len(gone)


def _check(actor: Actor, person: User, farewell: Farewell) -> None:
    if actor == person.actor:
        raise OffboardRefusedError("You cannot let yourself go; ask another platform admin, or security.")
    for successor in farewell.successors.values():
        if not successor.is_active or successor.pk == person.pk:
            raise OffboardRefusedError(
                f"{successor} cannot follow {person}: it takes another person whose account is active."
            )


def _hand_over(actor: Actor, person: User, farewell: Farewell, done: Done) -> None:
    """Before the account is off, while it still shows that nobody else maintains the team."""
    for team in only_maintainer_of(person):
        successor = farewell.successors.get(team.pk)
        if successor is not None:
            join_team(actor, team, successor, as_maintainer=True)
            done.teams.append(f"{team}: {successor}")


def _end_secret(actor: Actor, secret: Secret, days: int, now: datetime, done: Done) -> None:
    """Never later than it would have ended anyway."""
    if days <= 0:
        revoke_secret(actor, secret)
        done.revoked.append(secret)
        return
    ends = now + timedelta(days=min(days, LONGEST))
    if secret.expires_at is not None and secret.expires_at <= ends:
        return
    Secret.objects.filter(pk=secret.pk).update(expires_at=ends)
    secret.expires_at = ends
    record(actor, "secret.shortened", secret, handle=secret.handle, works_until=ends.isoformat())
    done.ending.append(secret)


def _end_rules(actor: Actor, person: User, now: datetime, done: Done) -> None:
    for rule in rules_naming(person, now):
        rule.ends_at = now
        rule.save(update_fields=["ends_at"])
        record(actor, "accessrule.ended", rule, person=person.username)
        done.rules += 1


def _end_delegations(actor: Actor, person: User, now: datetime, done: Done) -> None:
    for delegation in running_delegations(person, now):
        delegation.ends_at = now
        delegation.save(update_fields=["ends_at"])
        record(actor, "delegation.ended", delegation)
        done.delegations += 1


def _tell_teams(person: User, done: Done) -> None:
    """One message for each team whose robots need new secrets."""
    by_team: dict[Team, list[Secret]] = defaultdict(list)
    for secret in (*done.revoked, *done.ending):
        by_team[secret.robot.team].append(secret)
    for team, secrets in by_team.items():
        robots = sorted({secret.robot.login for secret in secrets})
        lines = [f"{person} has left, and had been shown secrets of robots of team {team}.", ""]
        lines += [_line(secret, secret in done.revoked) for secret in secrets]
        lines += ["", "A CI job can exchange a secret that still works by itself (POST /api/v1/robot-secrets)."]
        payload = {
            "team": team.name,
            "person": person.username,
            "robots": robots,
            "revoked": [secret.handle for secret in secrets if secret in done.revoked],
            "ending": [secret.handle for secret in secrets if secret in done.ending],
        }
        title = f"{person} has left: new secrets for {', '.join(robots)}"
        tell(TOPIC, title, people=people_of(team), body="\n".join(lines), payload=payload)


def _line(secret: Secret, is_revoked: bool) -> str:
    name = f"“{secret.name or secret.handle}” of {secret.robot.login}"
    if is_revoked:
        address = _issue_address(secret.robot)
        return f"- {name} works no more. Issue a new one: {settings.PORTAL_BASE_URL}{address}"
    address = replace_address(secret)
    return (
        f"- {name} works until {secret.expires_at:%d %B %Y, %H:%M} UTC. Replace it: {settings.PORTAL_BASE_URL}{address}"
    )


def _issue_address(robot: RobotAccount) -> str:
    if robot.kind == RobotAccount.Kind.CONSUMER:
        return reverse("web:team-robot", args=[robot.team.name, robot.name])
    return reverse("admin:access_robotaccount_secret", args=[robot.pk])
