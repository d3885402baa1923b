"""The handler that makes a plan: from rows alone, tag by tag, with reasons. Nothing is sent to the registry."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from portal.jobs.run import Claim
from registries.catalog.models import Placement, RegistrySyncState, Repository, SyncState
from registries.catalog.store import batched
from registries.oci.digest import Digest
from registries.retention.closure import Closure, close, led_to
from registries.retention.evaluate import Fate, Policy, evaluate_tags, in_order, spell
from registries.retention.facts import graph_of, holds_in, policies_for, tags_in
from registries.retention.freed import freed_bytes
from registries.retention.models import CleanupJob, Plan, PlanItem
from registries.topology.models import Registry

MAX_LISTING_AGE = timedelta(hours=24)
ITEMS_AT_ONCE = 500
UNDO_TEXT = (
    "Undo is not guaranteed: the portal keeps every manifest and can put tags back, "
    "until the registry collects garbage and the layers are gone."
)


@dataclass
class Draft:
    """A plan while it is made. ``led`` says which item each going manifest is counted for."""

    plan: Plan
    policies: list[Policy]
    now: datetime
    kept: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    going: Counter[int] = field(default_factory=Counter)
    led: dict[int, int] = field(default_factory=dict)

    @property
    def deleted(self) -> int:
        return self.by_rule.total()


def make_plan(claim: Claim[CleanupJob]) -> None:
    """Evaluate the policies over one registry. A plan that must not be executed says why."""
    plan, now = claim.job.plan, timezone.now()
    registry = plan.registry
    PlanItem.objects.filter(plan=plan).delete()
    policies = policies_for(registry, only_automatic=plan.is_automatic)
    refusal = why_listing_is_unfit(registry, now)
    draft = Draft(plan, policies, now)
    if not refusal:
        for repository in Repository.objects.filter(registry=registry, absent_since=None).order_by("name"):
            claim.check()
            _plan_repository(draft, repository)
        _count_freed(draft)
        refusal = why_too_much(policies, draft.by_rule, draft.kept + draft.deleted)
    claim.check()
    _finish(draft, refusal)


def why_listing_is_unfit(registry: Registry, now: datetime) -> str:
    """Why what we know of a registry is no base for deleting anything, or nothing."""
    state = RegistrySyncState.objects.filter(registry=registry).first()
    if state is None or state.listed_at is None:
        return f"{registry} was never read completely; sync it first."
    if state.failed_at is not None and state.failed_at > state.listed_at:
        return f"The last sync of {registry} failed, so what it holds is not known: {state.failure_text}"
    if state.braked_at is not None:
        return f"The last sync of {registry} found too much missing and waits for a person. {state.brake_text}"
    if now - state.listed_at > MAX_LISTING_AGE:
        return (
            f"{registry} was last read {spell(now - state.listed_at)} ago; a plan needs a reading of the last 24 hours."
        )
    return ""


def why_too_much(policies: list[Policy], by_rule: Mapping[str, int], total: int) -> str:
    """Why a plan takes a larger share of the tags than a policy allows, or nothing."""
    for policy in policies:
        count = by_rule.get(policy.name, 0)
        if count * 100 > total * policy.max_share_percent:
            return (
                f"Policy {policy.name} would remove {count} of {total} tags, which is more than the "
                f"{policy.max_share_percent} % it may. Check it, or raise its limit, and make another plan."
            )
    return ""


def _plan_repository(draft: Draft, repository: Repository) -> None:
    unread = _why_unread(repository, draft.now)
    tags = tags_in(repository)
    if unread:
        fates = {tag.name: Fate(tag, True, "", unread) for tag in tags}
        _write_items(draft, repository, fates)
        return
    graph = graph_of(repository)
    evaluated = evaluate_tags(draft.policies, repository.name, tags, draft.now)
    closure = close(evaluated, graph, holds_in(graph, draft.now))
    items = _write_items(draft, repository, closure.fates)
    keys = _manifest_keys(repository, closure)
    draft.going.update(keys.values())
    for tag, item in items.items():
        for digest in led_to(closure.fates[tag].tag.digest, graph, closure.going):
            if digest in keys:
                draft.led.setdefault(keys[digest], item)


def _why_unread(repository: Repository, now: datetime) -> str:
    state = SyncState.objects.filter(repository=repository).first()
    if state is None or state.read_at is None:
        return "Its repository was never read, so nothing is decided about it."
    if state.failed_at is not None:
        return f"Its repository could not be read, so nothing is decided about it: {state.failure_text}"[:500]
    if now - state.read_at > MAX_LISTING_AGE:
        return f"Its repository was last read {spell(now - state.read_at)} ago; nothing is decided on so old a reading."
    return ""


def _write_items(draft: Draft, repository: Repository, fates: Mapping[str, Fate]) -> dict[str, int]:
    """Rows for all fates; returns the keys of those that go, by tag in their order."""
    rows = [_item(draft.plan, repository, fates[tag]) for tag in sorted(fates)]
    gone: dict[str, int] = {}
    for some in batched(rows, ITEMS_AT_ONCE):
        for item in PlanItem.objects.bulk_create(some):
            if item.decision == PlanItem.Decision.DELETE:
                gone[item.tag] = item.pk
                draft.by_rule[item.rule] += 1
            else:
                draft.kept += 1
    return gone


def _item(plan: Plan, repository: Repository, fate: Fate) -> PlanItem:
    return PlanItem(
        plan=plan,
        repository=repository.name,
        tag=fate.tag.name,
        digest=fate.tag.digest,
        decision=PlanItem.Decision.KEEP if fate.is_kept else PlanItem.Decision.DELETE,
        rule=fate.rule[:80],
        reason=fate.reason[:500],
        outcome=PlanItem.Outcome.KEPT if fate.is_kept else PlanItem.Outcome.WAITING,
    )


def _manifest_keys(repository: Repository, closure: Closure) -> dict[Digest, int]:
    keys: dict[Digest, int] = {}
    for some in batched(sorted(closure.going)):
        here = Placement.objects.filter(repository=repository, absent_since=None, manifest__digest__in=some)
        keys |= {Digest.parse(digest): pk for digest, pk in here.values_list("manifest__digest", "manifest_id")}
    return keys


def _count_freed(draft: Draft) -> None:
    by_item: Counter[int] = Counter()
    for manifest, size in freed_bytes(draft.plan.registry, draft.going).items():
        by_item[draft.led[manifest]] += size
    draft.plan.freed_bytes = by_item.total()
    for some in batched(by_item.items(), ITEMS_AT_ONCE):
        rows = [PlanItem(pk=pk, freed_bytes=size) for pk, size in some]
        PlanItem.objects.bulk_update(rows, ["freed_bytes"])


def _finish(draft: Draft, refusal: str) -> None:
    plan = draft.plan
    state = RegistrySyncState.objects.filter(registry=plan.registry).first()
    with transaction.atomic():
        plan.state = Plan.State.REFUSED if refusal else Plan.State.READY
        plan.reason_text = refusal
        plan.is_preview = not plan.registry.is_retention_enabled
        plan.policy_text = "\n".join(describe(policy) for policy in in_order(draft.policies)) or "No policy: all stays."
        plan.listing_read_at = state.listed_at if state else None
        plan.keep_count, plan.delete_count = draft.kept, draft.deleted
        plan.undo_until, plan.undo_text = None, UNDO_TEXT
        plan.save()


def describe(policy: Policy) -> str:
    """A policy in one line, for people and for the record."""
    parts = [f"{policy.name}: tags {policy.tag_glob} of {policy.repository_glob}"]
    if policy.older_than is not None and policy.may_delete:
        parts.append(f"may go after {spell(policy.older_than)}")
    if policy.keep_newest:
        parts.append(f"the newest {policy.keep_newest} stay")
    if policy.protected_globs:
        parts.append(f"{', '.join(policy.protected_globs)} always stay")
    if policy.max_share_percent < 100:
        parts.append(f"at most {policy.max_share_percent} % of the tags at once")
    if not policy.may_delete:
        parts.append("lets nothing go by itself")
    return "; ".join(parts)
