"""Those who wait are answered when it happens, and never take all the seats."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
import requests

from portal.http.long_poll import Waiting
from promotions.workflow.models import PromotionRequest
from tests.portal.api.office import open_office
from tests.promotions.workflow.world import say


def test_without_a_seat_one_is_answered_at_once() -> None:
    waiting, is_seated, may_end = Waiting(1), threading.Event(), threading.Event()

    def look() -> bool:
        is_seated.set()
        return may_end.is_set()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(waiting.until, look, 30)
        assert is_seated.wait(10)
        # The first look is outside the seat; a second one says that it is taken.
        is_seated.clear()
        assert is_seated.wait(10)
        began = monotonic()
        assert waiting.until(lambda: False, 30) is False
        assert monotonic() - began < 5
        may_end.set()
        assert first.result(timeout=30) is True
    assert waiting.until(lambda: True, 0) is True


def test_a_seat_is_given_back_when_looking_breaks() -> None:
    waiting = Waiting(1)
    looks = iter([False])
    with pytest.raises(StopIteration):
        waiting.until(lambda: next(looks), 5)
    answers = iter([False, True])
    assert waiting.until(lambda: next(answers), 5) is True


@pytest.mark.database_both
@pytest.mark.django_db(transaction=True)
def test_ci_is_answered_when_somebody_approves(live_server: Any) -> None:
    office = open_office()
    identity = office["robot.payments-ci"].post("/promotions", office.body(office.build())).body["id"]
    url = f"{live_server.url}/api/v1/promotions/{identity}"
    headers = {"Authorization": f"Bearer {office['robot.payments-ci'].secret}"}

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            requests.get, url, params={"wait": "30", "until": "approved"}, headers=headers, timeout=60
        )
        say("bob", office.world, PromotionRequest.objects.get())
        answer = waiting.result(timeout=60)
    assert answer.status_code == 200
    assert answer.json()["state"] == "ready"
    assert "Retry-After" not in answer.headers
