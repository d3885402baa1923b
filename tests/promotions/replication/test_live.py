"""Two real registries that trust nobody's tokens but ours: what is promoted to one is answered by the other."""

from contextlib import closing

import pytest
from django.utils import timezone

from portal.jobs.models import JobState
from promotions.replication.models import Delivery
from promotions.replication.readiness import readiness_of
from promotions.replication.reconcile import reconcile
from promotions.replication.rules import set_rule
from registries.access.connect import client_for
from registries.catalog.models import TagEvent, TagIntent
from registries.catalog.observe import record_artifact, record_tag, repository_row
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.fakes.content import put_signature, put_two_platforms
from tests.promotions.archive.shelves import run_copies
from tests.promotions.real_ones import NAME, answered_by, started
from tests.promotions.workflow.world import SETUP
from tests.real.registries import RegistryStarter

pytestmark = pytest.mark.django_db(transaction=True)


def promote(prod: Registry, tag: str) -> Digest:
    """As the pipeline leaves it: bytes, signature, catalog."""
    with closing(client_for(prod, "pipeline", [Scope.repository(NAME, "pull", "push")])) as client:
        digest = put_two_platforms(client, NAME, tag)
        put_signature(client, NAME, digest, 500)
        now = timezone.now()
        record_artifact(client, prod, NAME, digest, at=now)
        record_tag(repository_row(prod, NAME), tag, digest, at=now, source=TagEvent.Source.JOB)
    return digest


def test_what_is_in_prod_is_answered_by_its_region(start_registry: RegistryStarter) -> None:
    prod, _ = started(start_registry, "prod", "prod")
    eu, _ = started(start_registry, "prod-eu", "prod", primary=prod, is_replication_enabled=True)
    set_rule(SETUP, "prod-to-eu", prod, eu)
    digest = promote(prod, "1.4.2")
    reconcile()
    (copy,) = run_copies()
    assert (copy.state, copy.reason_text) == (JobState.DONE, "")
    assert reconcile() == 1
    assert answered_by(eu, "1.4.2") == digest
    (answer,) = readiness_of(digest, NAME, [eu])
    assert (answer.is_ready, answer.code, answer.manifests_total) == (True, "ready", 4)
    intent = TagIntent.objects.get(registry=eu, tag="1.4.2")
    assert intent.fulfilled_at is not None


def test_a_region_that_is_down_gets_it_when_it_is_back(start_registry: RegistryStarter) -> None:
    prod, _ = started(start_registry, "prod", "prod")
    eu, server = started(start_registry, "prod-eu", "prod", primary=prod, is_replication_enabled=True)
    set_rule(SETUP, "prod-to-eu", prod, eu)
    digest = promote(prod, "1.4.2")
    start_registry.stop(server)
    reconcile()
    CopyJob.objects.update(max_attempts=1)
    run_copies()
    reconcile()
    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.FAILED
    assert "prod-eu" in delivery.reason_text
    start_registry.restart(server)
    Delivery.objects.update(next_try_at=timezone.now())
    reconcile()
    run_copies()
    assert reconcile() == 1
    assert answered_by(eu, "1.4.2") == digest
