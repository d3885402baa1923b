"""Counts are written by a thread of their own where the database takes several writers, and no answer waits for them."""

import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from registries.access.counts.record_models import TokenCount
from registries.access.counts.tally import Tally, tally
from registries.access.counts.writer import Writer, write_in_background
from registries.access.principals import Principal
from tests.portal.serving import until
from tests.registries.access.cast import make_registry

ALICE = Principal("user", "7", "alice", address="10.1.2.3")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_written_soon_and_by_another_thread() -> None:
    prod, counts = make_registry("prod"), Tally()
    counts.write_by(Writer(counts).wake)
    for _ in range(3):
        counts.note_token(prod.pk, ALICE, (), "issued", timezone.now())
        counts._flushed_at = time.monotonic() - 60
        counts.flush_if_due()
        assert until(lambda: not counts._notes, 10)
    assert until(lambda: sum(TokenCount.objects.values_list("count", flat=True)) == 3, 10)
    assert [thread.name for thread in threading.enumerate()].count("counts") == 1


@pytest.mark.django_db
def test_a_database_with_one_writer_keeps_the_way_it_had() -> None:
    if connection.vendor != "postgresql":
        write_in_background()
    assert tally._wake is None
