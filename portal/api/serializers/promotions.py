"""Promotions: what is asked, and what is answered."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.api.openapi import Word
from portal.api.serializers.readiness import checked_digest
from promotions.workflow.models import PromotionRequest, RequestState
from registries.oci.digest import Digest

UNTIL = ("approved", "terminal", "completed")


class SourceSerializer(serializers.Serializer[Any]):
    """What is to be promoted: a digest; the tag is a claim that is checked once."""

    repository = Word()
    digest = Word()
    tag = Word(required=False, default="", allow_blank=True)


class TargetSerializer(serializers.Serializer[Any]):
    """What it is to be called there."""

    repository = Word(required=False, default="", allow_blank=True, help_text="As at the source when left out.")
    tags = serializers.ListField(child=Word(), min_length=1, max_length=20)


class AskSerializer(serializers.Serializer[Any]):
    """One artifact, one path."""

    path = Word(help_text="Name of the promotion path.")
    source = SourceSerializer()  # type: ignore[assignment]
    target = TargetSerializer()
    on_behalf_of = Word(
        required=False,
        default="",
        allow_blank=True,
        help_text="From CI: user name or verified mail address of the person behind the job. People ask for themselves.",
    )
    ci = serializers.DictField(child=Word(max_length=2000, allow_blank=True), required=False, default=dict)
    changelog = Word(required=False, default="", allow_blank=True, max_length=20_000)

    def validate_ci(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > 30 or any(len(key) > 64 for key in value):
            raise serializers.ValidationError("At most 30 facts, each with a name of at most 64 characters.")
        if not all(key.isprintable() for key in value):
            raise serializers.ValidationError("A fact has a name that cannot be printed.")
        return value


class DecisionBody(serializers.Serializer[Any]):
    """A decision binds to what was shown: version and evidence_digest come from the promotion as it was read."""

    decision = serializers.ChoiceField(choices=["approve", "reject", "withdraw"])
    comment = Word(required=False, default="", allow_blank=True, max_length=4000)
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    evidence_digest = Word(max_length=80)


class WaitQuery(serializers.Serializer[Any]):
    """How long to wait for what."""

    wait = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=3600,
        help_text="Seconds to wait; 0 answers at once, and after 60 every answer comes.",
    )
    until = serializers.ChoiceField(
        choices=UNTIL,
        required=False,
        default="terminal",
        help_text="approved: people have decided; terminal: nothing more for CI to wait for; completed: every region has it.",
    )


class PromotionQuery(serializers.Serializer[Any]):
    """Which promotions are wanted."""

    state = serializers.ChoiceField(choices=RequestState.values, required=False)
    path = Word(required=False)
    repository = Word(required=False, help_text="Name of the source or target repository.")
    digest = Word(required=False)
    since = serializers.DateTimeField(required=False, help_text="Asked for at or after this time.")

    def validate_digest(self, value: str) -> Digest:
        return checked_digest(value)


class PromotionSerializer(serializers.Serializer[PromotionRequest]):
    """A promotion in lists."""

    id = serializers.CharField(source="public_id")
    path = serializers.CharField(source="path.name")
    state = serializers.CharField()
    reason_code = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(source="reason_text", allow_blank=True)
    repository = serializers.SerializerMethodField()
    digest = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    requester = serializers.CharField(source="requester_name")
    on_behalf_of = serializers.CharField(source="on_behalf_of.username")
    is_degraded = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    promoted_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField()

    def get_repository(self, row: PromotionRequest) -> str:
        return str(self._item(row).target_repository)

    def get_digest(self, row: PromotionRequest) -> str:
        return str(self._item(row).digest)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, row: PromotionRequest) -> list[str]:
        return list(self._item(row).target_tags)

    def get_url(self, row: PromotionRequest) -> str:
        return promotion_page(row)

    def _item(self, row: PromotionRequest) -> Any:
        return row.items.all()[0]


class ReasonSerializer(serializers.Serializer[Any]):
    """Branch on the code, read the text."""

    code = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)


class PlaceSerializer(serializers.Serializer[Any]):
    """Where it is, or will be."""

    registry = serializers.CharField()
    repository = serializers.CharField()
    digest = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())


class GateSerializer(serializers.Serializer[Any]):
    """One check and its verdict."""

    name = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField(help_text="pass, fail, warn, pending or error")
    is_blocking = serializers.BooleanField()
    summary = serializers.CharField()
    remediation = serializers.CharField(allow_blank=True)
    details = serializers.DictField()
    evidence = serializers.ListField(child=serializers.DictField())
    at = serializers.DateTimeField()


class RuleSerializer(serializers.Serializer[Any]):
    """Who must agree, who has, and who still can."""

    name = serializers.CharField()
    required = serializers.IntegerField()  # type: ignore[assignment]
    filled_by = serializers.ListField(child=serializers.CharField())
    can_approve = serializers.ListField(child=serializers.CharField())
    is_impossible = serializers.BooleanField()


class ApprovalsSerializer(serializers.Serializer[Any]):
    """All rules together."""

    required = serializers.IntegerField()  # type: ignore[assignment]
    given = serializers.IntegerField()
    rules = RuleSerializer(many=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """What somebody said."""

    user = serializers.CharField(source="user.username")
    verdict = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)
    round = serializers.IntegerField()
    decided_at = serializers.DateTimeField()


class ConditionSerializer(serializers.Serializer[Any]):
    """What is still missing, and who can clear it."""

    text = serializers.CharField()
    who = serializers.CharField(allow_blank=True)


class RegionSerializer(serializers.Serializer[Any]):
    """One tag at one registry that follows."""

    registry = serializers.CharField(source="registry.name")
    tag = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField(source="text", allow_blank=True)
    verified_at = serializers.DateTimeField(source="at", allow_null=True)


class RightsSerializer(serializers.Serializer[Any]):
    """What the caller may do about it, and if nothing, why."""

    can_approve = serializers.BooleanField()
    can_reject = serializers.BooleanField()
    can_withdraw = serializers.BooleanField()
    can_cancel = serializers.BooleanField()
    can_retry = serializers.BooleanField()
    sentence = serializers.CharField()


class ExecutionSerializer(serializers.Serializer[Any]):
    """How far the carrying out is."""

    state = serializers.CharField()
    attempt = serializers.IntegerField()
    progress_percent = serializers.IntegerField(allow_null=True)
    progress_note = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(source="reason_text", allow_blank=True)
    bytes_copied = serializers.IntegerField(source="copy_job.bytes_copied", default=None, allow_null=True)


class ReviewSerializer(serializers.Serializer[Any]):
    """One promotion with everything that is known about it."""

    id = serializers.CharField(source="request.public_id")
    path = serializers.CharField(source="request.path.name")
    state = serializers.CharField(source="request.state")
    reason = serializers.SerializerMethodField()
    next_step = serializers.CharField()
    version = serializers.IntegerField()
    evidence_digest = serializers.CharField(allow_blank=True)
    policy_digest = serializers.CharField(source="request.policy.hash")
    digest = serializers.CharField(source="item.digest")
    source = serializers.SerializerMethodField()  # type: ignore[assignment]
    target = serializers.SerializerMethodField()
    requester = serializers.CharField(source="request.requester_name")
    on_behalf_of = serializers.CharField(source="request.on_behalf_of.username")
    ci = serializers.DictField(source="request.ci", child=serializers.CharField(allow_blank=True))
    changelog = serializers.CharField(source="request.changelog", allow_blank=True)
    gates = GateSerializer(many=True)
    approvals = ApprovalsSerializer(source="*")
    decisions = DecisionSerializer(many=True)
    conditions = ConditionSerializer(many=True)
    difference = serializers.DictField()
    regions = RegionSerializer(many=True)
    is_degraded = serializers.BooleanField(source="request.is_degraded")
    is_pipeline_only = serializers.BooleanField(help_text="Only this pipeline can write to the target.")
    execution = ExecutionSerializer(allow_null=True)
    rights = RightsSerializer()
    created_at = serializers.DateTimeField(source="request.created_at")
    expires_at = serializers.DateTimeField(source="request.expires_at")
    decided_at = serializers.DateTimeField(source="request.decided_at", allow_null=True)
    promoted_at = serializers.DateTimeField(source="request.promoted_at", allow_null=True)
    completed_at = serializers.DateTimeField(source="request.completed_at", allow_null=True)
    url = serializers.SerializerMethodField(help_text="Its page, for people.")

    @extend_schema_field(ReasonSerializer)
    def get_reason(self, review: Any) -> dict[str, str]:
        return {"code": review.request.reason_code, "text": review.request.reason_text}

    @extend_schema_field(PlaceSerializer)
    def get_source(self, review: Any) -> dict[str, Any]:
        item = review.item
        tags = [item.source_tag] if item.source_tag else []
        return _place(review.request.path.source.name, item.source_repository, item.digest, tags)

    @extend_schema_field(PlaceSerializer)
    def get_target(self, review: Any) -> dict[str, Any]:
        item = review.item
        return _place(review.request.path.target.name, item.target_repository, item.digest, item.target_tags)

    def get_url(self, review: Any) -> str:
        return promotion_page(review.request)


def _place(registry: str, repository: str, digest: object, tags: list[str]) -> dict[str, Any]:
    return {"registry": registry, "repository": repository, "digest": str(digest), "tags": list(tags)}


def promotion_page(request: PromotionRequest) -> str:
    """The page of a promotion in the portal, as a whole address."""
    return f"{settings.PORTAL_BASE_URL}/promotions/{request.public_id}/"
