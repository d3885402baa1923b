"""What is at prod comes to its regions, is read back there, and whatever goes wrong is tried again."""

from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.jobs.models import JobState
from portal.outbox.models import Message, WebhookEndpoint
from promotions.replication.models import Delivery, ReplicationRule, RepositoryReading
from promotions.replication.plan import plan_repository, repositories_behind
from promotions.replication.reconcile import reconcile, why_idle
from promotions.replication.rules import set_rule, try_again
from registries.catalog.models import Repository
from registries.copies.models import CopyJob
from tests.promotions.replication.regions import Regions, end_copies, later
from tests.promotions.workflow.world import SETUP

pytestmark = pytest.mark.database_both


def test_a_new_tag_at_prod_is_delivered_when_it_was_read_back(regions: Regions) -> None:
    digest = regions.push()
    assert reconcile() == 0
    job = CopyJob.objects.get()
    assert (job.principal, job.purpose, job.source, job.target) == (
        "replicator",
        "replication",
        regions.prod,
        regions.eu,
    )
    assert (job.source_repository, job.target_repository, job.tags) == ("payments/api", "payments/api", ["1.4.2"])
    assert job.expected_digests == {}, "a replica's tag follows its primary, wherever it stands"
    assert regions.delivery().state == Delivery.State.COPYING
    end_copies()
    assert reconcile() == 1
    delivery = regions.delivery()
    assert (delivery.state, delivery.digest) == (Delivery.State.PRESENT, digest)
    assert delivery.verified_at == CopyJob.objects.get().verified_at
    assert AuditEvent.objects.filter(verb="delivery.verified").count() == 1


def test_nothing_is_sent_twice_and_nothing_is_read_twice(regions: Regions) -> None:
    regions.push()
    reconcile()
    reconcile()
    assert CopyJob.objects.count() == 1
    assert not repositories_behind(regions.rule).exists()
    end_copies()
    assert [reconcile(), reconcile()] == [1, 0]


def test_tags_of_one_digest_travel_together(regions: Regions) -> None:
    regions.push(tag="1.4.2")
    regions.push(tag="1.4")
    reconcile()
    assert CopyJob.objects.get().tags == ["1.4", "1.4.2"]
    end_copies()
    assert reconcile() == 2


def test_a_copy_that_was_not_read_back_is_not_there(regions: Regions) -> None:
    regions.push()
    reconcile()
    end_copies(verified_at=None)
    reconcile()
    delivery = regions.delivery()
    assert delivery.state == Delivery.State.FAILED
    assert "read back" in delivery.reason_text


def test_a_failure_keeps_its_reason_and_is_tried_again_for_ever(regions: Regions) -> None:
    WebhookEndpoint.objects.create(name="ops", url="http://127.0.0.1:1/hook")
    regions.push()
    reconcile()
    for attempts in range(1, 8):
        end_copies(JobState.FAILED, reason_code="unreachable", reason_text="prod-eu does not answer.")
        later(hours=2 * attempts)
        delivery = regions.delivery()
        assert (delivery.state, delivery.attempts) == (Delivery.State.FAILED, attempts)
        assert delivery.reason_text == "prod-eu does not answer."
        later(hours=2 * attempts + 1.5)
        assert CopyJob.objects.count() == attempts + 1
    assert Message.objects.filter(topic="replication.delayed").count() == 1
    end_copies()
    later(hours=24)
    assert regions.delivery().state == Delivery.State.PRESENT
    assert regions.delivery().attempts == 0


def test_a_failure_is_not_tried_again_at_once(regions: Regions) -> None:
    regions.push()
    reconcile()
    end_copies(JobState.FAILED, reason_text="no")
    reconcile()
    reconcile()
    assert CopyJob.objects.count() == 1
    later(seconds=30)
    assert CopyJob.objects.count() == 2


def test_a_tag_that_moves_at_prod_moves_at_the_region(regions: Regions) -> None:
    regions.push("1.4.2", tag="latest")
    reconcile()
    end_copies()
    reconcile()
    newer = regions.push("1.4.3", tag="latest")
    reconcile()
    assert regions.delivery("latest").state == Delivery.State.COPYING
    assert CopyJob.objects.order_by("-id")[0].digest == newer


def test_a_tag_that_moves_during_its_copy_waits_for_that_copy_to_end(regions: Regions) -> None:
    """Or the older copy, being slow, would set the tag back."""
    regions.push("1.4.2", tag="latest")
    reconcile()
    first = CopyJob.objects.get()
    CopyJob.objects.update(state=JobState.RUNNING)
    newer = regions.push("1.4.3", tag="latest")
    reconcile()
    first.refresh_from_db()
    assert first.cancel_requested_at is not None
    assert CopyJob.objects.count() == 1
    CopyJob.objects.update(state=JobState.DONE, verified_at=timezone.now())
    assert reconcile() == 0, "what came is not what is wanted any more"
    assert CopyJob.objects.count() == 2
    end_copies()
    assert reconcile() == 1
    assert regions.delivery("latest").digest == newer


def test_a_tag_that_goes_at_prod_stays_at_the_region_and_the_row_says_so(regions: Regions) -> None:
    regions.push(tag="1.4.2")
    reconcile()
    end_copies()
    reconcile()
    regions.untag("1.4.2")
    reconcile()
    delivery = regions.delivery()
    assert delivery.state == Delivery.State.PRESENT
    assert "never deletes" in delivery.reason_text


def test_a_wish_that_nothing_came_of_goes_with_its_tag(regions: Regions) -> None:
    regions.eu.is_replication_enabled = False
    regions.eu.save()
    regions.push()
    plan_repository(regions.rule, Repository.objects.get(), timezone.now())
    assert regions.delivery().state == Delivery.State.PENDING
    regions.untag("1.4.2")
    plan_repository(regions.rule, Repository.objects.get(), timezone.now())
    assert not Delivery.objects.exists()


def test_a_copy_that_fails_after_its_tag_went_is_not_tried_for_ever(regions: Regions) -> None:
    regions.push()
    reconcile()
    regions.untag("1.4.2")
    reconcile()
    end_copies(JobState.FAILED, reason_code="source_gone", reason_text="prod does not hold it any more.")
    reconcile()
    assert not Delivery.objects.exists()


def test_a_registry_joins_with_replication_off(regions: Regions) -> None:
    rule = set_rule(SETUP, "prod-to-us", regions.prod, regions.us)
    regions.push()
    reconcile()
    assert not CopyJob.objects.filter(target=regions.us).exists()
    assert "switched off at prod-us" in why_idle(rule)
    regions.us.is_replication_enabled = True
    regions.us.save()
    reconcile()
    assert CopyJob.objects.filter(target=regions.us).exists()


def test_a_rule_that_is_off_sends_nothing(regions: Regions) -> None:
    ReplicationRule.objects.update(is_enabled=False)
    regions.push()
    reconcile()
    assert not CopyJob.objects.exists()


def test_a_change_that_comes_late_is_not_skipped(regions: Regions) -> None:
    """A reading notes the revision it has read, never the newest."""
    regions.push(tag="1.4.2")
    reconcile()
    reading = RepositoryReading.objects.get()
    Repository.objects.update(revision=F("revision") + 5)
    regions.push(tag="1.5.0", version="1.5.0")
    assert repositories_behind(regions.rule).exists()
    reconcile()
    assert Delivery.objects.filter(tag="1.5.0").exists()
    reading.refresh_from_db()
    assert reading.revision == Repository.objects.get().revision


def test_a_job_row_that_is_gone_is_ordered_anew(regions: Regions) -> None:
    regions.push()
    reconcile()
    CopyJob.objects.all().delete()
    reconcile()
    assert CopyJob.objects.count() == 1
    assert regions.delivery().state == Delivery.State.COPYING


def test_only_so_many_are_under_way_at_once(regions: Regions) -> None:
    for number in range(25):
        regions.push(version=f"1.0.{number}", tag=f"1.0.{number}")
    reconcile()
    assert CopyJob.objects.count() == 20
    end_copies()
    reconcile()
    assert CopyJob.objects.count() == 25


def test_trying_again_is_asked_for_by_hand(regions: Regions) -> None:
    regions.push()
    reconcile()
    assert not try_again(SETUP, regions.delivery()), "it is on its way"
    end_copies(JobState.FAILED, reason_text="no")
    reconcile()
    assert try_again(SETUP, regions.delivery())
    reconcile()
    assert CopyJob.objects.count() == 2


@pytest.mark.parametrize("changed", [{"tag_glob": "1.*"}, {"repository_glob": "payments/**"}])
def test_a_changed_rule_looks_at_everything_anew(regions: Regions, changed: dict[str, Any]) -> None:
    regions.push(tag="1.4.2")
    regions.push(tag="latest")
    reconcile()
    end_copies()
    reconcile()
    set_rule(SETUP, "prod-to-eu", regions.prod, regions.eu, **changed)
    assert repositories_behind(regions.rule).exists()
    reconcile()
    assert Delivery.objects.count() == 2, "what was delivered stays on record"
