"""Two teams want the same names at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from portal.audit.models import AuditEvent
from registries.access.models import Namespace
from registries.access.naming_rules.namespaces import claim_namespace
from tests.registries.access.cast import ADMIN, make_team, make_zone

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_one_of_two_claims_wins_and_the_other_is_told() -> None:
    zone, teams = make_zone("ci-snapshots"), [make_team(name) for name in ("payments", "shop")]
    for turn in range(5):
        gate = Barrier(2)

        def claim(number: int, prefix: str = f"names-{turn}", wait: Callable[[], int] = gate.wait) -> str:
            try:
                wait()
                claim_namespace(ADMIN, zone, prefix, teams[number])
            except ValidationError as refusal:
                return str(refusal.message_dict)
            finally:
                connection.close()
            return ""

        with ThreadPoolExecutor(2) as pool:
            said = sorted(pool.map(claim, range(2)))
        assert said[0] == ""
        assert said[1]
    assert Namespace.objects.count() == 5
    assert AuditEvent.objects.filter(verb="namespace.claimed").count() == 5
