"""The rows that replication starts from, and short ways to let time and copies pass."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from portal.jobs.models import JobState
from promotions.replication.models import Delivery, ReplicationRule
from promotions.replication.reconcile import reconcile
from promotions.replication.rules import set_rule
from registries.catalog.models import Repository, Tag
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind
from tests.promotions.workflow.world import SETUP, make_registry, put_image


@dataclass
class Regions:
    """Registries and rules by name."""

    prod: Registry
    eu: Registry
    us: Registry
    sandbox: Registry
    rule: ReplicationRule

    def push(self, version: str = "1.4.2", tag: str = "1.4.2", repository: str = "payments/api") -> Digest:
        """Prod has an image under a tag, as the catalog sees it once it is there."""
        digest = put_image(self.prod, version=version, tag=tag, repository=repository)
        touch(self.prod, repository)
        return digest

    def untag(self, tag: str, repository: str = "payments/api") -> None:
        Tag.objects.filter(repository__registry=self.prod, repository__name=repository, name=tag).delete()
        touch(self.prod, repository)

    def delivery(self, tag: str = "1.4.2") -> Delivery:
        return Delivery.objects.get(rule=self.rule, tag=tag)


def make_regions() -> Regions:
    prod = make_registry("prod", ZoneKind.PROD)
    eu = make_registry("prod-eu", ZoneKind.PROD, primary=prod, is_replication_enabled=True)
    us = make_registry("prod-us", ZoneKind.PROD, primary=prod)
    rule = set_rule(SETUP, "prod-to-eu", prod, eu)
    return Regions(prod, eu, us, make_registry("sandbox", ZoneKind.SANDBOX), rule)


def touch(registry: Registry, repository: str) -> None:
    """A change inside, as every change says it."""
    Repository.objects.filter(registry=registry, name=repository).update(revision=F("revision") + 1)


def end_copies(state: JobState = JobState.DONE, **fields: Any) -> int:
    """Every open copy ends, as its runner would write it down."""
    now = timezone.now()
    known: dict[str, Any] = {"verified_at": now, "tagged_at": now} if state == JobState.DONE else {}
    return CopyJob.objects.filter(state=JobState.QUEUED).update(state=state, finished_at=now, **{**known, **fields})


def later(**passed: float) -> int:
    """Reconcile at a later time."""
    return reconcile(timezone.now() + timedelta(**passed))
