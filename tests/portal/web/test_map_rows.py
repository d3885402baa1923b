"""The map says what the rows say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.web.map_model import MapFlow
from portal.web.map_rows import load_map
from promotions.archive.models import ArchiveEntry
from promotions.workflow.models import PolicySnapshot, PromotionPath, PromotionRequest
from registries.topology.models import Zone
from tests.portal.web.cast import Company, digest_of, registry, repository, zone


def flow(kind: str) -> MapFlow:
    return next(flow for flow in load_map().flows if flow.kind == kind)


def ask(company: Company, state: str, age_days: int = 0) -> PromotionRequest:
    policy, _ = PolicySnapshot.objects.get_or_create(hash="0" * 64, defaults={"body": {"rules": [], "gates": []}})
    now = timezone.now()
    made = PromotionRequest.objects.create(
        public_id=f"prm_{PromotionRequest.objects.count()}", path=company.path, state=state, requester_kind="user",
        requester_key=str(company.alice.pk), requester_name="alice", on_behalf_of=company.alice, on_behalf_source="session",
        policy=policy, expires_at=now + timedelta(days=7),
    )  # fmt: skip
    PromotionRequest.objects.filter(pk=made.pk).update(created_at=now - timedelta(days=age_days))
    return made


def test_a_card_counts_what_is_in_the_registry(company: Company) -> None:
    repository(company.prod, "gone/away", size_bytes=1 << 40, absent_since=timezone.now())
    repository(company.prod, "big/one", size_bytes=5 << 30)
    card = load_map().registry("prod")
    assert card is not None
    assert (card.repositories, card.size_bytes) == (3, 5 << 30)
    assert (card.health_state, card.reach, card.zone) == ("well", "enforced", "prod")


def test_what_was_never_read_is_unknown_not_empty(company: Company) -> None:
    company.sandbox.sync_state.delete()
    company.scratch.repository.delete()
    company.sandbox.health.delete()
    card = load_map().registry("sandbox")
    assert card is not None
    assert (card.repositories, card.size_bytes, card.synced_at) == (None, None, None)
    assert card.health_state == "unknown"


def test_a_failed_sync_is_worth_a_look_while_the_registry_answers(company: Company) -> None:
    state = company.prod.sync_state
    state.failed_at, state.failure_text = timezone.now() + timedelta(seconds=5), "the listing ended in the middle"
    state.save()
    card = load_map().registry("prod")
    assert card is not None
    assert (card.health_state, card.health_word) == ("attention", "the listing ended in the middle")


@pytest.mark.parametrize(
    ("states", "label", "sign"),
    [
        ((), "none yet", "well"),
        (("awaiting_approval", "evaluating"), "2 waiting", "well"),
        (("executing",), "1 moving", "well"),
        (("failed", "awaiting_approval"), "1 failed, 1 waiting", "broken"),
        (("completed", "rejected", "cancelled"), "none yet", "well"),
    ],
)
def test_the_promotion_arrow_says_what_waits(company: Company, states: tuple[str, ...], label: str, sign: str) -> None:
    for state in states:
        ask(company, state)
    arrow = flow("promotion")
    assert (arrow.source, arrow.target, arrow.label, arrow.state) == ("ci-snapshots", "prod", label, sign)


def test_an_old_failure_is_history(company: Company) -> None:
    ask(company, "failed", age_days=10)
    assert flow("promotion").state == "well"


def test_a_path_that_is_switched_off_is_not_drawn(company: Company) -> None:
    PromotionPath.objects.update(is_enabled=False)
    assert not [each for each in load_map().flows if each.kind == "promotion"]


@pytest.mark.parametrize(
    ("state", "label", "sign"),
    [
        ("present", "in step", "well"),
        ("pending", "1 behind", "attention"),
        ("copying", "1 behind", "attention"),
        ("failed", "1 failed", "broken"),
    ],
)
def test_the_replication_arrow_says_what_is_missing(company: Company, state: str, label: str, sign: str) -> None:
    company.deliver(state)
    arrow = flow("replication")
    assert (arrow.source, arrow.target, arrow.label, arrow.state) == ("prod", "prod-eu", label, sign)


def test_imports_and_caches_are_flows_too(company: Company) -> None:
    hub = registry("hub", zone("upstream"), reach="observed")
    archive = registry("archive", zone("archive", 1, "everyone pull"))
    cache = registry("cache-eu", Zone.objects.create(name="caches", kind="cache"), fronts=hub)
    ArchiveEntry.objects.create(
        upstream=hub, upstream_repository="library/debian", upstream_tag="12", archive=archive, repository="debian", tag="12",
        owner=company.payments, reason="base", state="present", digest=digest_of("debian"),
    )  # fmt: skip
    assert (flow("archive").source, flow("archive").target, flow("archive").label) == ("hub", "archive", "1 kept")
    assert (flow("pull_through").source, flow("pull_through").target) == ("hub", cache.name)


def test_nothing_that_the_map_draws_leaves_a_sandbox(company: Company) -> None:
    assert not [each for each in load_map().flows if each.source == "sandbox"]
