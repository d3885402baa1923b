"""Grants to look at again: keep them, or let them end."""

from collections.abc import Mapping
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST

from portal.http.problem import Problem
from portal.users.models import User
from portal.web.asked import asked, clean
from portal.web.listing import Column, respond
from portal.web.request_form import end_of
from portal.web.viewer import for_people
from registries.access.models import AccessRule
from registries.access.reviewing.review import (
    FINDINGS,
    UNUSED_DAYS,
    covered_now,
    findings_of,
    grants_kept_by,
    grants_seen_by,
    in_force,
    is_reviewer,
    to_review,
    with_findings,
)
from registries.access.reviewing.review_changes import end_grants, keep_grants

DAYS = (30, 60, UNUSED_DAYS, 180)
MOST_AT_ONCE = 500


@for_people
def list_grants(request: HttpRequest, user: User) -> HttpResponseBase:
    """What somebody should look at; with ``show=all`` every grant."""
    if not is_reviewer(user):
        raise PermissionDenied(
            "Grants are reviewed by the maintainers of the teams that own the names, and by platform admins and security. "
            "What you may do yourself stands under My access."
        )
    now, show = timezone.now(), asked(request, "show")
    days = int(asked(request, "days")) if asked(request, "days") in map(str, DAYS) else UNUSED_DAYS
    finding, text = asked(request, "finding"), asked(request, "q")
    covered = covered_now(now)
    seen = grants_seen_by(user)
    due = to_review(seen, now, days, covered=covered)
    rows = in_force(seen, now) if show == "all" else to_review(seen, now, days, finding, covered)
    rows = with_findings(_about(rows, text) if text else rows, now, days, covered).distinct()
    context = {
        "findings": FINDINGS.items(),
        "covered": covered,
        "days": days,
        "all_days": DAYS,
        "show": show,
        "due_count": due.distinct().count(),
        "is_filtered": bool(finding or text),
        "may_change": grants_kept_by(user).exists(),
        "sees_admin": user.has_role(),
        "here": request.get_full_path(),
        "today": now.date().isoformat(),
    }
    return respond(request, "web/access_review.html", rows, _columns(covered), order="used", context=context)


def _about(rows: QuerySet[AccessRule], text: str) -> QuerySet[AccessRule]:
    who = Q(user__username__icontains=text) | Q(team__name__icontains=text) | Q(robot__name__icontains=text)
    return rows.filter(who | Q(pattern__icontains=text) | Q(reason__icontains=text))


def _columns(covered: Mapping[int, int]) -> tuple[Column, ...]:
    def odd(row: AccessRule) -> str:
        found = findings_of(row, covered)
        return "; ".join(f"{each.text} (rule {each.rule})" if each.rule else each.text for each in found)

    return (
        Column("rule", "Grant", lambda row: row.pk, "pk"),
        Column("pattern", "Where", lambda row: f"{row.registry or row.zone or 'anywhere'}: {row.pattern}", "pattern"),
        Column("findings", "Why look at it", odd),
        Column("used", "Used last", lambda row: row.last_used_at, "last_used_at"),
        Column("made", "Made", lambda row: row.created_at, "created_at"),
        Column("ends", "Ends", lambda row: row.ends_at, "ends_at"),
        Column("who", "", lambda row: row.robot or row.team or row.user or "everyone"),
        Column("actions", "", lambda row: ",".join(row.actions)),
        Column("reviewed", "", lambda row: row.reviewed_at),
        Column("reviewed_by", "", lambda row: row.reviewed_by),
        Column("reason", "", lambda row: row.reason),
    )


@require_POST
@for_people
def change_grants(request: HttpRequest, user: User) -> HttpResponseBase:
    """Keep, end now or end on a day: the rows that were ticked, or the one whose button was pressed."""
    one = next((name for name in ("keep", "end") if request.POST.get(f"{name}_one")), "")
    change = one or clean(request.POST, "change")
    given = [request.POST[f"{one}_one"]] if one else request.POST.getlist("rule")
    keys = [int(key) for key in given[:MOST_AT_ONCE] if key.isdecimal() and len(key) < 19]
    try:
        done = _do(request, user, change, keys)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        _tell(request, done, len(keys), "kept" if change == "keep" else "ended")
    return redirect(_back(request))


def _do(request: HttpRequest, user: User, change: str, keys: list[int]) -> list[AccessRule]:
    if change == "keep":
        return keep_grants(user, keys)
    if change == "end":
        return end_grants(user, keys)
    if change == "end_on":
        return end_grants(user, keys, _day(request))
    raise Problem(400, "bad_change", "Choose whether to keep them, to end them now, or to end them on a day.")


def _day(request: HttpRequest) -> datetime:
    try:
        day = parse_date(clean(request.POST, "day"))
    except ValueError:
        day = None
    if day is None:
        raise Problem(400, "bad_end", "Name the day on which they are to end.")
    return end_of(day)


def _tell(request: HttpRequest, done: list[AccessRule], asked_for: int, word: str) -> None:
    if done:
        messages.success(request, f"{len(done)} {'grant' if len(done) == 1 else 'grants'} {word}.")
    if len(done) < asked_for:
        left = asked_for - len(done)
        messages.warning(
            request, f"{left} left as they were: over already, not there any more, or not yours to change."
        )
    if not asked_for:
        messages.warning(request, "Nothing was ticked.")


def _back(request: HttpRequest) -> str:
    """To the list as it was, and to nowhere else."""
    page, here = reverse("web:access-review"), clean(request.POST, "here")
    return here if here.startswith(f"{page}?") else page
