"""Make, describe and retire robot accounts, and hand out their secrets, within what somebody may: maintainers look after the consumers
of their teams; robots of kind CI, which push, are for platform admins alone."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.users.models import Team, User
from portal.users.team_members import may_steer_team
from registries.access.credential.credentials import revoke_secret
from registries.access.credential.issuing import Issued, IssueRefusedError, Wanted, issue_wanted
from registries.access.models import RobotAccount, Secret

Kind = RobotAccount.Kind


def make_robot(
    user: User,
    team: Team,
    name: str,
    kind: str = Kind.CONSUMER,
    description: str = "",
    expires_at: datetime | None = None,
) -> RobotAccount:
    """Raises Problem: 403 not_a_maintainer, ci_is_for_admins; 422 invalid with what is wrong of each field."""
    check_may_keep(user, team, kind)
    made = RobotAccount(
        name=name, kind=kind, team=team, description=description.replace("\0", "").strip(), expires_at=expires_at
    )
    if expires_at is not None and expires_at <= timezone.now():
        raise Problem(422, "invalid", "It would have ended by now.", errors=[_error("expires_at", "This is past.")])
    try:
        made.full_clean()
    except ValidationError as error:
        errors = [_error(field, text) for field, texts in error.message_dict.items() for text in texts]
        raise Problem(422, "invalid", " ".join(error["detail"] for error in errors), errors=errors) from error
    with transaction.atomic():
        made.save()
        record(user.actor, "robotaccount.created", made, team=team.name, kind=made.kind)
    return made


def describe_robot(user: User, robot: RobotAccount, description: str) -> None:
    """What it is for, in a line. Raises Problem 403 not_a_maintainer."""
    check_may_keep(user, robot.team)
    robot.description = " ".join(description.replace("\0", "").split())[:255]
    with transaction.atomic():
        robot.save(update_fields=["description"])
        record(user.actor, "robotaccount.changed", robot, fields=["description"])


def retire_robot(user: User, robot: RobotAccount) -> int:
    """It logs in nowhere any more, and all its secrets are revoked: how many. Twice is once. Raises Problem 403."""
    check_may_keep(user, robot.team, robot.kind)
    with transaction.atomic():
        row = RobotAccount.objects.select_for_update().get(pk=robot.pk)
        live = list(Secret.objects.filter(robot=row, revoked_at=None))
        for secret in live:
            revoke_secret(user.actor, secret)
        if row.is_active:
            row.is_active = False
            row.save(update_fields=["is_active"])
            record(user.actor, "robotaccount.retired", row, secrets=len(live))
    robot.is_active = False
    return len(live)


def issue_secret_of(user: User, robot: RobotAccount, wanted: Wanted) -> Issued:
    """One more secret, which this person sees this once. Raises Problem 403; 409 retired and where there are too many."""
    check_may_issue(user, robot)
    try:
        return issue_wanted(user.actor, robot, wanted, shown_to=user)
    except IssueRefusedError as refusal:
        raise Problem(409, refusal.code, str(refusal)) from refusal


def check_may_issue(user: User, robot: RobotAccount) -> None:
    """Raises Problem: 403 as check_may_keep, 409 retired."""
    check_may_keep(user, robot.team, robot.kind)
    if not robot.is_active:
        raise Problem(409, "retired", f"{robot} is retired; it would log in nowhere.")


def revoke_secret_of(user: User, secret: Secret) -> None:
    """Of any robot of the team, whatever its kind: it only takes away. Raises Problem 403 not_a_maintainer."""
    check_may_keep(user, secret.robot.team)
    revoke_secret(user.actor, secret)


def check_may_keep(user: User, team: Team, kind: str = Kind.CONSUMER) -> None:
    """Raises Problem 403 not_a_maintainer, ci_is_for_admins."""
    if not may_steer_team(user, team):
        raise Problem(403, "not_a_maintainer", f"Maintainers of team {team} and platform admins do this.")
    if kind != Kind.CONSUMER and not user.is_platform_admin:
        raise Problem(
            403, "ci_is_for_admins", "Robots of kind CI push to CI registries; only platform admins make and keep them."
        )


def may_apply(actor: Actor) -> bool:
    """Whether a file of this actor may speak of robots: the machine's own command line, or a platform admin."""
    if actor.kind == "user":
        person = User.objects.filter(pk=actor.key).first()
        return person is not None and person.is_platform_admin
    return actor.kind == "system"


def _error(field: str, text: str) -> dict[str, str]:
    return {"field": field, "detail": text}
