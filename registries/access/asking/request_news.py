"""Who is told of a request for access and of what became of it? Messages are rows, written in the transaction of what they tell."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from portal.outbox.post import tell
from portal.users.models import User
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_rights import deciders_of, span_of_request
from registries.access.models import AccessRule


def page_of(request: AccessRequest) -> str:
    """Where it is followed and decided."""
    return f"{settings.PORTAL_BASE_URL}/access/requests/{request.pk}/"


def whom(request: AccessRequest) -> str:
    """Whom it is for, in words."""
    return str(request.robot or (f"team {request.team}" if request.team else request.requester))


def tell_deciders(request: AccessRequest) -> None:
    """It waits for them; whoever asked is not among them."""
    title = f"{request.requester} asks for access: {request.actions} on {request.registry}/{request.pattern}"
    lines = [
        title,
        "",
        f"For {whom(request)}, until {_day(request.ends_at)}.",
        f"Why: {request.reason}",
        "",
        span_of_request(request).sentence,
        f"Look at it and decide: {page_of(request)}",
    ]
    _tell("access_request.asked", title, deciders_of(request), lines, request)


def tell_outcome(request: AccessRequest) -> None:
    """Granted, refused or lapsed: to the one who asked."""
    what = f"{request.actions} on {request.registry}/{request.pattern}"
    title = f"Access {request.state}: {what} for {whom(request)}"
    lines = [title, ""]
    if request.decided_by is not None:
        lines.append(f"Decided by {request.decided_by}.")
    rule = request.rule
    if rule is not None and rule.ends_at is not None:
        lines.append(f"It is {', '.join(rule.actions)} on {rule.pattern}, and ends by itself on {_day(rule.ends_at)}.")
    if request.comment:
        lines.append(f"Comment: {request.comment}")
    lines += ["", page_of(request)]
    _tell(f"access_request.{request.state}", title, [request.requester], lines, request)


def tell_of_ending(rule: AccessRule, request: AccessRequest | None, people: Iterable[User], days: int) -> None:
    """It ends soon; who still needs it can ask again by one click on the request's page."""
    if rule.ends_at is None:
        return
    what = f"{'/'.join(rule.actions)} on {rule.registry or rule.zone or 'anywhere'}: {rule.pattern}"
    when = "within a day" if days <= 1 else f"within {days} days"
    title = f"Access of {rule.robot or rule.team or rule.user or 'everyone'} ends {when}: {what}"
    again = page_of(request) if request else f"{settings.PORTAL_BASE_URL}/access/requests/new/"
    lines = [title, "", f"It ends on {_day(rule.ends_at)}.", f"Still needed? Ask for it again: {again}"]
    payload = {
        "rule": rule.pk,
        "request": request.pk if request else None,
        "ends_at": rule.ends_at.isoformat(),
        "url": again,
    }
    tell("access_grant.ending", title, people=people, body="\n".join(lines), payload=payload)


def _tell(topic: str, title: str, people: Iterable[User], lines: list[str], request: AccessRequest) -> None:
    payload = {
        "id": request.pk,
        "state": request.state,
        "requester": request.requester.username,
        "for": whom(request),
        "registry": request.registry.name,
        "pattern": request.pattern,
        "actions": request.actions.split(","),
        "ends_at": request.ends_at.isoformat(),
        "comment": request.comment,
        "url": page_of(request),
    }
    tell(topic, title, people=people, body="\n".join(lines), payload=payload)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
