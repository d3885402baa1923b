"""A question about access as people and machines write it, and what it means: checked, and with the credential that would be shown."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.dateparse import parse_date, parse_datetime

from portal.networks import parse_address
from portal.users.models import User
from registries.access.counts.record_models import Denial
from registries.access.models import PersonalToken, RobotAccount, Secret, StoredSecret
from registries.access.policy import ACTIONS
from registries.access.principals import Principal
from registries.access.who import UnknownPrincipalError, find_principal
from registries.oci.reference import is_repository
from registries.topology.models import Registry

KEYLESS: Final = "keyless"
_TAIL = re.compile(
    r"(?P<name>[^:@]*)(?P<tail>(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@[A-Za-z0-9+._-]+:[A-Za-z0-9=_-]+)?)"
)


class BadQuestionError(ValueError):
    """What is asked makes no sense; ``field`` is the part of the question that does not."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Question:
    """``principal`` has the address, and is as narrow as the credential that was named. ``notes`` say what was left out of account."""

    who: str
    principal: Principal
    action: str
    registry: Registry
    repository: str
    at: datetime
    credential: str = ""
    notes: tuple[str, ...] = ()


def read_question(
    who: str,
    action: str,
    registry: Registry,
    repository: str,
    now: datetime,
    *,
    address: str = "",
    credential: str = "",
    at: datetime | None = None,
) -> Question:
    """Raises BadQuestionError. ``repository`` may have a tag and a digest, which change nothing; ``credential`` is the handle of a
    secret, or ``keyless``. Whether one may ask is :mod:`registries.access.explaining.curiosity`'s business."""
    if action not in ACTIONS:
        raise BadQuestionError("action", f"{action} is no action; ask about {', '.join(ACTIONS)}.")
    name, tail = _name_of(repository, registry)
    if address and parse_address(address) is None:
        raise BadQuestionError("address", f"{address[:60]} is no address; write one such as 10.1.2.3 or 2001:db8::7.")
    try:
        principal = find_principal(who)
    except UnknownPrincipalError as error:
        raise BadQuestionError("who", str(error)) from error
    notes = (
        [f"{tail} was left out of account: rights are those of the repository, whatever the tag or digest."]
        if tail
        else []
    )
    if at is not None and abs((at - now).total_seconds()) > 1:
        notes.append(
            f"Asked for {at:%Y-%m-%d %H:%M} UTC, by the rules as they are written now, and the teams of today."
        )
    principal = _with_credential(replace(principal, address=address), credential)
    return Question(who, principal, action, registry, name, at or now, credential, tuple(notes))


def read_time(text: str) -> datetime | None:
    """``2027-01-31T12:00``, with or without seconds and zone (UTC where there is none), or a day; None for nothing. Raises
    BadQuestionError."""
    text = text.strip()
    if not text:
        return None
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError:
        moment = day = None
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise BadQuestionError("at", f"{text[:40]} is no time; write one such as 2027-01-31T12:00, in UTC.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def credentials_of(viewer: User, who: str) -> list[tuple[str, str]]:
    """Handles and words of live secrets that this person may ask with: their own, or a robot's, whose names its team knows anyway."""
    if who == viewer.username:
        rows: Iterable[StoredSecret] = PersonalToken.objects.filter(user=viewer, revoked_at=None)
        return [(row.handle, row.name or row.handle) for row in rows]
    robot = RobotAccount.objects.filter(name=who.removeprefix("robot.")).first() if who.startswith("robot.") else None
    if robot is None:
        return []
    found = [
        (row.handle, row.name or row.handle)
        for row in Secret.objects.filter(robot=robot, revoked_at=None, is_keyless=False)
    ]
    return [*found, (KEYLESS, "a keyless login")] if robot.kind == RobotAccount.Kind.CI else found


def question_of(denial: Denial) -> Mapping[str, str] | None:
    """The question that a refusal answered, as a form takes it; None where it was about no repository."""
    kind, _, rest = denial.scope.partition(":")
    name, _, action = rest.rpartition(":")
    if kind != "repository" or action not in ACTIONS or not is_repository(name):
        return None
    return {"who": denial.principal, "action": action, "registry": denial.registry.name, "repository": name}


def _name_of(text: str, registry: Registry) -> tuple[str, str]:
    """The name, and the tag or digest that was written behind it. The registry's own host before it is no harm."""
    text = text.strip().removeprefix(f"{registry.host}/")
    shape = _TAIL.fullmatch(text)
    if shape is None or not is_repository(shape["name"]):
        raise BadQuestionError(
            "repository",
            f"Not the name of a repository: {text[:80]!r}. Write it such as payments/api; a tag behind it does no harm.",
        )
    return shape["name"], shape["tail"]


def _with_credential(principal: Principal, credential: str) -> Principal:
    """The principal as the token endpoint would see it with this secret. Raises BadQuestionError for one that is not theirs."""
    if not credential:
        return principal
    if credential == KEYLESS and principal.is_ci:
        return replace(principal, is_keyless=True)
    rows: Any = (
        PersonalToken.objects.filter(user=int(principal.key)) if principal.kind == "user" else Secret.objects.none()
    )
    if principal.kind == "robot":
        rows = Secret.objects.filter(robot=int(principal.key))
    row = rows.filter(handle=credential).first()
    if row is None:
        raise BadQuestionError("credential", f"{principal} has no credential {credential[:40]!r}; give its handle.")
    if not row.is_live(datetime.now(UTC)):
        raise BadQuestionError("credential", f"{row.name or row.handle} is revoked or has ended: it signs nobody in.")
    return replace(
        principal,
        narrow_pattern=row.pattern,
        narrow_actions=row.actions,
        narrow_registries=row.registries,
        narrow_networks=row.networks,
        is_keyless=getattr(row, "is_keyless", False),
    )
