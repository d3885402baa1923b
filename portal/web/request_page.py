"""What does the page of one request for access show? Who asks, what they may already, and what the grant would change."""

from datetime import datetime

from portal.approvals.queries import decisions_on
from portal.globs import matches
from portal.users.models import Membership, User
from registries.access.asking.outlook import Effect, Wish, effects_of, principals_of
from registries.access.asking.patterns import is_plain, stem_of
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import whom
from registries.access.asking.request_rights import right_to_decide
from registries.access.asking.requests import subject_of
from registries.access.snapshot import Snapshot, current_snapshot
from registries.catalog.queries import repositories_seen_by

NAMES_SHOWN = 6
RULES_SHOWN = 8
State = AccessRequest.State
SIGNS = {State.WAITING: "attention", State.GRANTED: "well", State.REFUSED: "broken"}


def sign_of(request: AccessRequest) -> str:
    """well, attention, broken or unknown."""
    return SIGNS.get(State(request.state), "unknown")


def page_of(user: User, request: AccessRequest, now: datetime) -> dict[str, object]:
    """Everything but the form."""
    is_waiting = request.state == State.WAITING
    snapshot = current_snapshot()
    return {
        "asked": request,
        "number": str(request.pk),
        "for_whom": whom(request),
        "actions": request.actions.split(","),
        "sign": sign_of(request),
        "right": right_to_decide(user, request),
        "teams": Membership.objects.filter(user=request.requester).select_related("team"),
        "effects": _effects(user, snapshot, request, now) if is_waiting else (),
        "holds": rules_held(snapshot, request, now),
        "decisions": decisions_on(request),
        "can_withdraw": is_waiting and request.requester_id == user.pk,
        "can_prolong": request.state == State.GRANTED and is_among_those_it_is_for(user, request),
        "is_waiting": is_waiting,
    }


def is_among_those_it_is_for(user: User, request: AccessRequest) -> bool:
    """Whoever asked for themselves, or anybody of the team."""
    team = request.robot.team_id if request.robot else request.team_id
    if team is None:
        return request.requester_id == user.pk
    return Membership.objects.filter(team=team, user=user).exists()


def rules_held(snapshot: Snapshot, request: AccessRequest, now: datetime) -> list[str]:
    """What speaks of them at this registry already."""
    place = snapshot.place(request.registry)
    found = {
        rule.key: rule.label
        for principal in principals_of(subject_of(request))
        for rule in snapshot.policy.rules_about(principal)
        if rule.stands_at(place) and rule.is_in_force(now)
    }
    return [found[key] for key in sorted(found)][:RULES_SHOWN]


def _effects(user: User, snapshot: Snapshot, request: AccessRequest, now: datetime) -> tuple[Effect, ...]:
    """On repositories that are there and that the reader may see; else on a name that stands for all."""
    wish = Wish(
        subject_of(request), request.registry, request.pattern, tuple(request.actions.split(",")), request.ends_at
    )
    return effects_of(snapshot, wish, now, () if is_plain(request.pattern) else _names(user, request))


def _names(user: User, request: AccessRequest) -> list[str]:
    stem = stem_of(request.pattern)
    rows = repositories_seen_by(user).filter(registry=request.registry, name__prefix=stem).order_by("name")
    fitting = (name for name in rows.values_list("name", flat=True)[:500] if matches(request.pattern, name))
    return [name for name, _ in zip(fitting, range(NAMES_SHOWN), strict=False)]
