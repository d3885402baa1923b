"""Ask for access, take it back, ask again. What would be forbidden anyway, is allowed already or waits already is refused at once."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from portal.audit.record import record
from portal.http.problem import Problem
from portal.users.models import Membership, Team, User
from registries.access.asking.outlook import Effect, Subject, Wish, lasting_effects
from registries.access.asking.patterns import is_plain, pattern_fault
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import tell_deciders
from registries.access.models import RobotAccount
from registries.access.policy import ACTIONS
from registries.access.snapshot import current_snapshot
from registries.topology.models import Reach, Registry

LONGEST: Final = timedelta(days=366)
MOST_WAITING: Final = 25
_MOST_REASON: Final = 2000
State = AccessRequest.State


def ask_for_access(user: User, wish: Wish, reason: str) -> AccessRequest:
    """For oneself, a team one belongs to, or a robot of such a team.

    Raises Problem: 403 inactive, not_your_team; 422 bad_pattern, bad_actions, bad_end, reason_required, out_of_reach, would_not_help,
    beyond_team; 409 already_allowed, already_waiting (with ``request``), too_many."""
    now = timezone.now()
    _check_standing(user, wish.subject)
    said = _check_words(wish, reason, now)
    check_effect(wish, now)
    actions = ",".join(action for action in ACTIONS if action in wish.actions)
    with transaction.atomic():
        # Whoever asks the same for the same at the same moment waits here and then finds it.
        wish.subject._meta.model._default_manager.select_for_update().get(pk=wish.subject.pk)
        _check_queue(user, wish, actions)
        made = AccessRequest.objects.create(
            requester=user,
            team=wish.subject if isinstance(wish.subject, Team) else None,
            robot=wish.subject if isinstance(wish.subject, RobotAccount) else None,
            registry=wish.registry,
            pattern=wish.pattern,
            actions=actions,
            reason=said,
            ends_at=wish.ends_at,
        )
        record(user.actor, "accessrequest.asked", made, whom=str(wish.subject), ends_at=wish.ends_at.isoformat())
        tell_deciders(made)
    return made


def withdraw_request(user: User, request: AccessRequest) -> None:
    """By whoever asked, while nobody has decided. Raises Problem 403 not_yours, 409 conflict."""
    with transaction.atomic():
        row = locked(request)
        if row.requester_id != user.pk or not user.is_active:
            raise Problem(403, "not_yours", f"{row.requester} asked for this; only they take it back.")
        check_waiting(row)
        row.state, row.version, row.decided_at = State.WITHDRAWN, row.version + 1, timezone.now()
        row.save(update_fields=["state", "version", "decided_at"])
        record(user.actor, "accessrequest.withdrawn", row)


def ask_again(user: User, request: AccessRequest) -> AccessRequest:
    """The same for as long again, from where it ends or ended on. Raises Problem as ask_for_access, and 409 not_granted."""
    if request.state != State.GRANTED or request.decided_at is None:
        raise Problem(409, "not_granted", "Only what was granted can be prolonged. Ask for it anew.")
    last_end = request.rule.ends_at if request.rule and request.rule.ends_at else request.ends_at
    begins = max(timezone.now(), last_end)
    ends_at = min(begins + (request.ends_at - request.decided_at), timezone.now() + LONGEST - timedelta(hours=1))
    wish = Wish(subject_of(request), request.registry, request.pattern, tuple(request.actions.split(",")), ends_at)
    first = request.reason.partition("\n")[0]
    reason = first if first.startswith("Prolongs request ") else f"Prolongs request {request.pk}: {request.reason}"
    return ask_for_access(user, wish, reason[:_MOST_REASON])


def subject_of(request: AccessRequest) -> Subject:
    """Whom it is for."""
    return request.robot or request.team or request.requester


def locked(request: AccessRequest) -> AccessRequest:
    """The row as it is now, kept from others until the transaction ends."""
    rows = AccessRequest.objects.select_for_update(of=("self",))
    return rows.select_related("requester", "robot__team", "team", "registry__zone", "registry__fronts").get(
        pk=request.pk
    )


def check_waiting(row: AccessRequest) -> None:
    """Raises Problem 409 conflict once something has become of it."""
    if row.state != State.WAITING:
        raise Problem(409, "conflict", f"This request is {row.state} by now.", state=row.state, version=row.version)


def check_effect(wish: Wish, now: datetime) -> tuple[Effect, ...]:
    """What it would change; raises Problem where that is nothing, with the policy's own explanation."""
    if wish.registry.fronts is not None:
        text = f"{wish.registry} is a cache of {wish.registry.fronts}, and gives what that gives. Ask for {wish.registry.fronts}."
        raise Problem(422, "out_of_reach", text)
    if wish.registry.reach == Reach.OBSERVED:
        contact = wish.registry.contact or "whoever runs it"
        text = f"{wish.registry} is observed: it decides by its own accounts, and no rule of ours reaches it. Ask {contact}."
        raise Problem(422, "out_of_reach", text)
    effects = lasting_effects(current_snapshot(), wish, now)
    for effect in effects:
        _check_helps(effect, wish)
    if all(effect.before.is_allowed for effect in effects):
        text = "; ".join(f"{effect.action}: {effect.before.text}" for effect in effects)
        raise Problem(
            409, "already_allowed", f"{_called(wish.subject)} may do that already, until then at least. {text}."
        )
    return effects


def _check_helps(effect: Effect, wish: Wish) -> None:
    verdict = effect.after
    # A name made up for a pattern is often no good name; the names that will really be pushed may be.
    if verdict.is_allowed or (verdict.code == "misnamed" and not is_plain(wish.pattern)):
        return
    if verdict.code == "beyond_team" and isinstance(wish.subject, RobotAccount):
        team = wish.subject.team
        text = (
            f"A robot never does more than its team, and team {team} may not {effect.action} there. Ask for the team."
        )
        raise Problem(422, "beyond_team", text, team=team.name)
    text = f"No grant would let {_called(wish.subject)} {effect.action} there: {verdict.text}. {verdict.fix}".strip()
    raise Problem(422, "would_not_help", text, verdict=verdict.code)


def _called(subject: Subject) -> str:
    return f"team {subject}" if isinstance(subject, Team) else str(subject)


def _check_standing(user: User, subject: Subject) -> None:
    """Raises Problem 403 unless it is oneself, a team of one's own, or a robot of one."""
    if not user.is_active:
        raise Problem(403, "inactive", "This account is closed.")
    if isinstance(subject, User):
        if subject.pk != user.pk:
            raise Problem(
                403, "not_your_team", "People ask for themselves, for their teams and for the robots of these."
            )
        return
    team = subject.team_id if isinstance(subject, RobotAccount) else subject.pk
    if not Membership.objects.filter(team=team, user=user).exists():
        raise Problem(403, "not_your_team", f"Only members of its team ask for {_called(subject)}.")
    if isinstance(subject, RobotAccount) and not subject.is_active:
        raise Problem(403, "inactive", f"{subject} is retired.")


def _check_words(wish: Wish, reason: str, now: datetime) -> str:
    """The reason as it is kept; raises Problem 422."""
    if fault := pattern_fault(wish.pattern):
        raise Problem(422, "bad_pattern", fault)
    if not wish.actions or set(wish.actions) - set(ACTIONS):
        raise Problem(422, "bad_actions", "Choose among pull, push and delete, one at least.")
    if not now < wish.ends_at <= now + LONGEST:
        raise Problem(422, "bad_end", "It has to end between now and a year from now.")
    said = reason.replace("\0", "").strip()
    if not said:
        raise Problem(422, "reason_required", "Say what it is for; whoever decides knows you only by that.")
    if len(said) > _MOST_REASON:
        raise Problem(422, "reason_required", f"Say it in {_MOST_REASON} characters.")
    return said


def _check_queue(user: User, wish: Wish, actions: str) -> None:
    """Nothing waits twice, and nobody fills the inboxes of others."""
    waiting = AccessRequest.objects.filter(state=State.WAITING)
    subject = wish.subject
    same = waiting.filter(registry=wish.registry, pattern=wish.pattern, actions=actions).filter(
        **{"team": subject} if isinstance(subject, Team) else {"team": None},
        **{"robot": subject} if isinstance(subject, RobotAccount) else {"robot": None},
        **{"requester": subject} if isinstance(subject, User) else {},
    )
    if (found := same.first()) is not None:
        text = f"Just this waits already: request {found.pk}, asked for by {found.requester}."
        raise Problem(409, "already_waiting", text, request=found.pk)
    if waiting.filter(requester=user).count() >= MOST_WAITING:
        raise Problem(409, "too_many", f"{MOST_WAITING} requests of yours wait already. Withdraw some, or wait.")


def may_ask_for(user: User) -> tuple[list[Team], list[RobotAccount]]:
    """The teams and robots that somebody may ask for."""
    teams = Team.objects.filter(memberships__user=user).order_by("name")
    robots = RobotAccount.objects.filter(team__in=teams, is_active=True).select_related("team")
    return list(teams), list(robots)


def registries_to_ask_for() -> list[Registry]:
    """Those that rules reach: no caches, and none that are only observed."""
    return list(Registry.objects.filter(fronts=None).exclude(reach=Reach.OBSERVED).select_related("zone"))
