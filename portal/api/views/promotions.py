"""Ask for promotions, follow them, decide them."""

import hashlib
from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.ask import ask_for_promotion
from portal.api.callers import actor_of, caller_of, person_of
from portal.api.listing import ListView
from portal.api.serializers.promotions import (
    AskSerializer,
    DecisionBody,
    GateSerializer,
    PromotionQuery,
    PromotionSerializer,
    ReviewSerializer,
    WaitQuery,
)
from portal.api.sight import find_promotion
from portal.http.idempotency import Answer, answer_once
from portal.http.long_poll import waiting
from promotions.workflow.decide import decide
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.queries import requests_seen_by
from promotions.workflow.requests import cancel_request, retry_request
from promotions.workflow.review import review_of
from promotions.workflow.rights import RETRYABLE, Rights
from promotions.workflow.standing import may_steer
from promotions.workflow.states import ENDED, FINAL, OPEN
from registries.access.models import RobotAccount

COME_BACK = "10"
REACHED = {
    "approved": ENDED | {"ready", "executing"},
    "terminal": ENDED,
    "completed": FINAL | {"failed"},
}
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Makes a repeated request harmless for 24 hours. CI: pipeline, job and digest make a good one.",
)


class PromotionList(ListView):
    serializer_class = PromotionSerializer
    parameters = PromotionQuery
    keyset = ("-id",)
    queryset = PromotionRequest.objects.none()

    @extend_schema(summary="Promotions", tags=["promotions"], parameters=[PromotionQuery], operation_id="promotions")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[PromotionRequest]:
        wanted = self.wanted()
        rows = requests_seen_by(caller_of(self.request))
        filters = {"state": "state", "path": "path__name", "digest": "items__digest", "since": "created_at__gte"}
        rows = rows.filter(**{field: wanted[name] for name, field in filters.items() if wanted.get(name)})
        if name := wanted.get("repository"):
            rows = rows.filter(Q(items__source_repository=name) | Q(items__target_repository=name))
        return rows

    @extend_schema(
        summary="Ask for a promotion",
        tags=["promotions"],
        operation_id="promotion_create",
        parameters=[KEY],
        request=AskSerializer,
        responses={202: ReviewSerializer, 200: ReviewSerializer},
    )
    def post(self, request: Request) -> Response:
        """202 for a new request, 200 for one that was asked for before in just the same way."""
        body = AskSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        answer = _once(request, lambda: _ask(request, body.validated_data))
        headers = {"Location": f"/api/v1/promotions/{answer.body['id']}", "Retry-After": COME_BACK}
        if answer.is_replay:
            headers["Idempotent-Replayed"] = "true"
        return Response(answer.body, status=answer.status, headers=headers)


def _ask(request: Request, wanted: dict[str, Any]) -> Answer:
    row = ask_for_promotion(request, wanted)
    return Answer(200 if row.is_replay else 202, shown(request, row))


def _once(request: Request, work: Any) -> Answer:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer: Answer = work()
        return answer
    actor = actor_of(request)
    asked = {"method": request.method, "path": request.path, "body": request.data}
    return answer_once(f"{actor.kind}:{actor.key}", key, asked, work)


def shown(request: Request, row: PromotionRequest) -> dict[str, Any]:
    """A promotion as its caller may see it, as plain JSON values."""
    review = review_of(row, request.user)
    caller = caller_of(request)
    if isinstance(caller, RobotAccount):
        review = replace(review, rights=_rights_of_robot(caller, row))
    data: dict[str, Any] = ReviewSerializer(review).data
    return data


def _rights_of_robot(robot: RobotAccount, row: PromotionRequest) -> Rights:
    steers = may_steer(robot.actor, row)
    can_cancel = steers and row.state in OPEN and row.cancel_requested_at is None
    can_retry = steers and row.state in RETRYABLE
    return Rights(
        can_approve=False,
        can_reject=False,
        can_withdraw=False,
        can_cancel=can_cancel,
        can_retry=can_retry,
        sentence="Deciding is for people.",
    )


class PromotionDetail(APIView):
    @extend_schema(
        summary="One promotion; waits for it on request",
        tags=["promotions"],
        operation_id="promotion",
        parameters=[
            WaitQuery,
            OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="ETag seen last."),
        ],
        responses={200: ReviewSerializer, 304: None},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """With ``wait`` it answers when ``until`` is reached or the time is over; ``Retry-After`` says when to come back."""
        row = find_promotion(request, public_id)
        query = WaitQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        is_reached = waiting().until(
            lambda: _state(row) in REACHED[query.validated_data["until"]], query.validated_data["wait"]
        )
        body = shown(request, find_promotion(request, public_id))
        headers = {"ETag": etag_of(body), "Cache-Control": "private, no-cache"}
        if not is_reached:
            headers["Retry-After"] = COME_BACK
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status=304, headers=headers)
        return Response(body, headers=headers)


def _state(row: PromotionRequest) -> str:
    return str(PromotionRequest.objects.values_list("state", flat=True).get(pk=row.pk))


def etag_of(body: dict[str, Any]) -> str:
    """The version for people, and a hash over everything shown: regions and progress move without a new version."""
    mark = hashlib.sha256(JSONRenderer().render(body)).hexdigest()[:16]
    return f'"v{body["version"]}-{mark}"'


class PromotionCancel(APIView):
    @extend_schema(
        summary="Call a promotion off",
        tags=["promotions"],
        operation_id="promotion_cancel",
        request=None,
        responses={200: ReviewSerializer, 202: ReviewSerializer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """200 when it is called off, 202 while its copy is being stopped."""
        row = cancel_request(actor_of(request), find_promotion(request, public_id))
        status = 202 if row.state == RequestState.EXECUTING else 200
        return Response(shown(request, find_promotion(request, public_id)), status=status)


class PromotionRetry(APIView):
    @extend_schema(
        summary="Look at a promotion again: its gates, or everything when it failed",
        tags=["promotions"],
        operation_id="promotion_retry",
        request=None,
        responses={202: ReviewSerializer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        retry_request(actor_of(request), find_promotion(request, public_id))
        return Response(shown(request, find_promotion(request, public_id)), status=202)


class PromotionDecisions(APIView):
    @extend_schema(
        summary="Decide about a promotion (people only)",
        tags=["promotions"],
        operation_id="promotion_decide",
        request=DecisionBody,
        responses={201: ReviewSerializer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        person = person_of(request, "deciding about promotions")
        row = find_promotion(request, public_id)
        body = DecisionBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        decide(person, row, said["decision"], said["comment"], said["version"], said["evidence_digest"])
        return Response(shown(request, find_promotion(request, public_id)), status=201)


class PromotionGates(APIView):
    @extend_schema(
        summary="What the gates of a promotion said",
        tags=["promotions"],
        operation_id="promotion_gates",
        responses=GateSerializer(many=True),
    )
    def get(self, request: Request, public_id: str) -> Response:
        review = review_of(find_promotion(request, public_id), request.user)
        return Response(GateSerializer(review.gates, many=True).data)
