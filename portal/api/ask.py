"""Who stands behind an ask? CI names the person who started the job; people stand for themselves."""

from typing import Any

from rest_framework.request import Request

from portal.api.callers import caller_of
from portal.api.vouched import check_narrowing, exchange_of, verified_person
from portal.http.problem import Problem
from portal.users.models import User
from portal.users.queries import person_by_claim
from promotions.workflow.models import PromotionPath, PromotionRequest
from promotions.workflow.requests import create_request
from registries.access.models import RobotAccount, Secret


def ask_for_promotion(request: Request, wanted: dict[str, Any]) -> PromotionRequest:
    """One operation for the checked body of a request; raises Problem."""
    caller = caller_of(request)
    robot = caller if isinstance(caller, RobotAccount) else None
    claim = wanted["on_behalf_of"].strip()
    exchange = exchange_of(request.auth) if isinstance(request.auth, Secret) else None
    ci = wanted["ci"]
    if exchange is not None:
        check_narrowing(exchange.secret, wanted["source"]["repository"])
        ci = {**ci, **exchange.claims}
    vouched = verified_person(exchange, claim) if exchange is not None else None
    person, how = vouched or _behind(caller, claim, is_session=request.auth is None)
    return create_request(
        caller.actor,
        path=_path(wanted["path"]),
        source_repository=wanted["source"]["repository"],
        digest=wanted["source"]["digest"],
        source_tag=wanted["source"]["tag"],
        target_repository=wanted["target"]["repository"],
        target_tags=wanted["target"]["tags"],
        on_behalf_of=person,
        on_behalf_source=how,
        robot=robot,
        ci=ci,
        changelog=wanted["changelog"],
    )


def _path(name: str) -> PromotionPath:
    path = PromotionPath.objects.filter(name=name).select_related("source__zone", "target__zone").first()
    if path is None:
        known = ", ".join(PromotionPath.objects.filter(is_enabled=True).values_list("name", flat=True)[:20])
        raise Problem(
            404, "unknown_path", f"There is no promotion path named {name[:80]}; there are: {known or 'none'}."
        )
    return path


def _behind(caller: User | RobotAccount, claim: str, *, is_session: bool) -> tuple[User, str]:
    if isinstance(caller, RobotAccount):
        return _named_by_robot(caller, claim)
    if claim and person_by_claim(claim) != caller:
        raise Problem(422, "not_yourself", f"You are {caller}; people ask for themselves, so leave on_behalf_of out.")
    return caller, "session" if is_session else "token"


def _named_by_robot(robot: RobotAccount, claim: str) -> tuple[User, str]:
    person = person_by_claim(claim) if claim else None
    if person is None:
        said = f"“{claim[:120]}” is not" if claim else "An empty on_behalf_of is not"
        raise Problem(
            422,
            "unknown_actor",
            f"{said} the user name or the verified mail address of exactly one active person. {robot} has to say who "
            "started the job; that person signs in to the portal once, or an admin adds them.",
        )
    return person, "mail" if "@" in claim else "name"
