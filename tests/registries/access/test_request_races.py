"""Two at once: one decision, one request, one rule, and always a maintainer left."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from portal.approvals.models import Decision
from portal.http.problem import Problem
from portal.outbox.models import Message
from portal.users.models import Membership
from portal.users.team_members import let_go
from registries.access.asking.endings import mind_grants
from registries.access.asking.request_decisions import grant_access, refuse_access
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.requests import withdraw_request
from registries.access.models import AccessRule
from registries.access.reviewing.review_reminder import remind_reviewers
from registries.access.snapshot import current_snapshot
from tests.registries.access.town import Town, in_days, make_town

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def town() -> Town:
    made = make_town()
    current_snapshot()
    return made


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of each: done, or the code of the refusal."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        try:
            connection.ensure_connection()
            gate.wait(20)
            act()
        except Problem as problem:
            return problem.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(run, acts))


def test_of_two_who_decide_one_wins(town: Town) -> None:
    request = town.ask()
    copies = [AccessRequest.objects.get(pk=request.pk) for _ in range(4)]
    came = at_once(
        lambda: grant_access(town["bob"], copies[0], 1),
        lambda: grant_access(town["alice"], copies[1], 1),
        lambda: refuse_access(town["ada"], copies[2], 1, "no"),
        lambda: withdraw_request(town["dora"], copies[3]),
    )
    assert came == ["conflict", "conflict", "conflict", "done"]
    request.refresh_from_db()
    assert request.version == 2
    assert Decision.objects.count() == (request.state != "withdrawn")
    assert AccessRule.objects.count() == (request.state == "granted")


def test_the_same_wish_waits_once(town: Town) -> None:
    came = at_once(*[lambda who=who: town.ask(who, subject=town.shop) for who in ("dora", "sue", "dora", "sue")])
    assert came == ["already_waiting", "already_waiting", "already_waiting", "done"]
    assert AccessRequest.objects.count() == 1


def test_two_maintainers_who_remove_each_other_leave_one(town: Town) -> None:
    rows = {
        row.user.username: row for row in Membership.objects.filter(team=town.payments).select_related("user", "team")
    }
    came = at_once(lambda: let_go(town["bob"], rows["alice"]), lambda: let_go(town["alice"], rows["bob"]))
    assert came == ["done", "not_a_maintainer"]
    assert Membership.objects.filter(team=town.payments).count() == 1


def test_two_clocks_tell_once(town: Town) -> None:
    town.granted(ends_at=in_days(2))
    AccessRule.objects.create(team=town.shop, registry=town.prod, pattern="payments/old")
    now = timezone.now()
    at_once(*[lambda: mind_grants(now)] * 3, *[lambda: remind_reviewers(now)] * 3)
    mails = Message.objects.filter(channel="mail")
    assert mails.filter(topic="access_grant.ending").count() == 1
    told = list(mails.filter(topic="access_review.due").values_list("destination", flat=True))
    assert sorted(told) == sorted(set(told))
    assert told
