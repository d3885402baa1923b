"""May this go on, and may I say so? Everything the review page and the API show of one request, from rows alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from portal.approvals.matching import RuleOutcome, match_approvals
from portal.approvals.models import Decision
from portal.approvals.queries import approvers, decisions_on, standing
from portal.audit.models import AuditEvent
from portal.users.models import User
from promotions.workflow.conditions import Condition, GateLine, conditions_of, gate_lines
from promotions.workflow.gate_run import latest_results
from promotions.workflow.models import Execution, PromotionItem, PromotionRequest, RequestState
from promotions.workflow.paths import is_pipeline_only
from promotions.workflow.queries import latest_execution, previous_promotion
from promotions.workflow.quorum import barred_people, needs_of
from promotions.workflow.regions import Region, regions_of
from promotions.workflow.rights import Rights, rights_of

TIMELINE = 100
SIGNS = {
    RequestState.EVALUATING: "unknown",
    RequestState.BLOCKED: "attention",
    RequestState.AWAITING_APPROVAL: "attention",
    RequestState.READY: "well",
    RequestState.EXECUTING: "well",
    RequestState.PROMOTED: "well",
    RequestState.COMPLETED: "well",
    RequestState.REJECTED: "broken",
    RequestState.CANCELLED: "unknown",
    RequestState.EXPIRED: "unknown",
    RequestState.FAILED: "broken",
}


@dataclass(frozen=True)
class TagMove:
    """What will become of one tag. ``old`` is empty where it does not exist yet."""

    tag: str
    old: str
    new: str

    @property
    def is_new(self) -> bool:
        return not self.old

    @property
    def is_same(self) -> bool:
        return self.old == self.new


@dataclass(frozen=True)
class Fact:
    """One thing that was said about the ask; ``is_link`` where it may be followed."""

    label: str
    value: str
    is_link: bool = False


@dataclass(frozen=True)
class Review:
    """``sign`` is well, attention, broken or unknown; ``version`` and ``evidence_digest`` are what a decision is bound to."""

    request: PromotionRequest
    item: PromotionItem
    sign: str
    next_step: str
    rights: Rights
    version: int
    evidence_digest: str
    gates: tuple[GateLine, ...]
    conditions: tuple[Condition, ...]
    difference: Mapping[str, Any]
    rules: tuple[RuleOutcome, ...]
    required: int
    given: int
    decisions: tuple[Decision, ...]
    tags: tuple[TagMove, ...]
    regions: tuple[Region, ...]
    is_pipeline_only: bool
    facts: tuple[Fact, ...]
    previous: PromotionRequest | None
    execution: Execution | None
    timeline: tuple[AuditEvent, ...]

    @property
    def title(self) -> str:
        return f"{self.item.target_repository} {', '.join(self.item.target_tags)}"

    @property
    def failing(self) -> tuple[GateLine, ...]:
        return tuple(line for line in self.gates if not line.is_passed)

    @property
    def passed(self) -> tuple[GateLine, ...]:
        return tuple(line for line in self.gates if line.is_passed)

    @property
    def expires_at(self) -> datetime:
        return self.request.expires_at


def review_of(request: PromotionRequest, viewer: AbstractBaseUser | AnonymousUser) -> Review:
    """Whether the viewer may see it is asked beforehand (queries.may_see)."""
    item = request.item
    needs, decisions = needs_of(request), decisions_on(request)
    outcome = match_approvals(needs, approvers(decisions, request.round))
    gates = gate_lines(latest_results(request))
    regions = regions_of(request, item)
    person = viewer if isinstance(viewer, User) else None
    said = standing(decisions, request.round).get(person.username) if person else None
    return Review(
        request=request,
        item=item,
        sign="attention" if request.is_degraded else SIGNS[RequestState(request.state)],
        next_step=_next_step(request),
        rights=rights_of(request, person, needs, barred_people(request), said),
        version=request.version,
        evidence_digest=request.evidence_digest,
        gates=gates,
        conditions=conditions_of(request, gates, outcome, regions),
        difference=item.difference,
        rules=outcome.rules,
        required=outcome.required,
        given=outcome.given,
        decisions=tuple(decisions),
        tags=_tags(item),
        regions=tuple(regions),
        is_pipeline_only=is_pipeline_only(request.path.target),
        facts=_facts(request),
        previous=previous_promotion(request),
        execution=latest_execution(request),
        timeline=_timeline(request),
    )


def _tags(item: PromotionItem) -> tuple[TagMove, ...]:
    return tuple(TagMove(tag, item.expected_digests.get(tag, ""), str(item.digest)) for tag in item.target_tags)


def _facts(request: PromotionRequest) -> tuple[Fact, ...]:
    """What CI said of itself, as text; only plain web addresses become links."""
    pairs = [(str(key).replace("_", " "), str(value)) for key, value in request.ci.items() if value not in ("", None)]
    return tuple(Fact(key, value, value.startswith(("https://", "http://"))) for key, value in pairs)


def _timeline(request: PromotionRequest) -> tuple[AuditEvent, ...]:
    rows = AuditEvent.objects.filter(object_label=request._meta.label_lower, object_key=str(request.pk))
    return tuple(rows.order_by("-id")[:TIMELINE])


def _next_step(request: PromotionRequest) -> str:
    """What happens next, in one sentence."""
    target = request.path.target
    return {
        RequestState.EVALUATING: "The gates are being asked.",
        RequestState.BLOCKED: "Nothing happens until the gates let it through.",
        RequestState.AWAITING_APPROVAL: f"As soon as enough people have agreed, it is copied to {target} by its digest.",
        RequestState.READY: f"It is about to be copied to {target}.",
        RequestState.EXECUTING: f"It is being copied to {target}; the tags are set last.",
        RequestState.PROMOTED: f"{target} has it; its replicas follow.",
        RequestState.COMPLETED: "All done: every registry that has to have it was read back.",
        RequestState.REJECTED: "It ends here. A new build needs a new request.",
        RequestState.CANCELLED: "It ends here. It can be asked for again.",
        RequestState.EXPIRED: "It ends here. It can be asked for again.",
        RequestState.FAILED: "It can be tried again; nothing half done is visible to anybody.",
    }[RequestState(request.state)]
