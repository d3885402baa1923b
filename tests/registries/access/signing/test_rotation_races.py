"""Two admins click at once: one step is taken between them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from registries.access.counts.record_models import TokenCount
from registries.access.models import SigningKey
from registries.access.signing.keys import active_key
from registries.access.signing.rotation import (
    abandon_key,
    hold_registry,
    publish_next_key,
    retire_key,
    revoke_key,
    switch_key,
)
from registries.topology.models import Registry
from tests.registries.access.cast import ADMIN, make_registry
from tests.registries.access.test_races import THREADS, at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
State = SigningKey.State


def outcome(step: Callable[[], object]) -> str:
    try:
        step()
    except Problem as problem:
        return problem.code
    return "done"


def raced(step: Callable[[], object]) -> list[str]:
    return sorted(at_once(lambda: outcome(step)))


ONCE = ["done", *["key_state"] * (THREADS - 1)]


def seen_trusted(key: SigningKey | None) -> None:
    assert key is not None
    SigningKey.objects.filter(pk=key.pk).update(probed_at=timezone.now(), probe_outcome="trusted")


def states(registry: Registry) -> list[str]:
    return sorted(SigningKey.objects.filter(registry=registry).values_list("state", flat=True))


def test_one_next_key_is_published() -> None:
    prod = make_registry("prod")
    assert raced(lambda: publish_next_key(ADMIN, prod)) == ONCE
    assert states(prod) == ["active", "published"]


def test_the_switch_happens_once_and_there_is_always_one_key_that_signs() -> None:
    prod = make_registry("prod")
    seen_trusted(publish_next_key(ADMIN, prod))
    counts: list[int] = []

    def switch_or_look() -> None:
        counts.append(SigningKey.objects.filter(registry=prod, state=State.ACTIVE).count())
        switch_key(ADMIN, prod)

    assert raced(switch_or_look) == ONCE
    assert set(counts) == {1}
    assert states(prod) == ["active", "replaced"]
    assert AuditEvent.objects.filter(verb="signingkey.switched").count() == 1


def test_a_key_is_retired_once() -> None:
    prod = make_registry("prod")
    old, new = active_key(prod), publish_next_key(ADMIN, prod)
    assert old is not None
    seen_trusted(new)
    switch_key(ADMIN, prod)
    SigningKey.objects.filter(pk=old.pk).update(replaced_at=timezone.now() - timedelta(minutes=11))
    seen_trusted(new)
    assert raced(lambda: retire_key(ADMIN, prod, old)) == ONCE
    assert AuditEvent.objects.filter(verb="signingkey.retired").count() == 1


def test_one_switches_while_the_other_abandons() -> None:
    prod = make_registry("prod")
    seen_trusted(publish_next_key(ADMIN, prod))
    turns = iter([switch_key, abandon_key] * THREADS)
    assert raced(lambda: next(turns)(ADMIN, prod)) == ONCE
    assert states(prod) in (["active", "replaced"], ["active", "retired"])


def test_a_key_is_revoked_once_and_has_one_heir() -> None:
    prod = make_registry("prod")
    key = active_key(prod)
    assert key is not None
    assert raced(lambda: revoke_key(ADMIN, prod, SigningKey.objects.get(pk=key.pk), "found in a log")) == ONCE
    assert states(prod) == ["active", "revoked"]


def test_tokens_are_counted_while_a_step_holds_the_registry() -> None:
    """The lock keeps other steps out, not rows that merely refer to the registry."""
    prod = make_registry("prod")

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        backend = connection.connection.info.backend_pid
        TokenCount.objects.create(hour=timezone.now(), registry=prod, outcome=str(backend))
        return 1

    with transaction.atomic():
        hold_registry(prod)
        assert at_once(count) == [1] * THREADS
