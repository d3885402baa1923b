"""CI exchanges its own secrets: a job makes the successor of the one it came with, which goes on for a while."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.listing import ListView
from portal.api.serializers.robot_secrets import RobotSecretSerializer, SuccessorBody, SuccessorSerializer
from portal.api.views.promotions import KEY
from portal.http.idempotency import Answer, answer_once
from portal.http.problem import Problem
from registries.access.credential.credential_rotation import WiderError, renew_own, same_again
from registries.access.credential.credentials import Narrowing, revoke_secret
from registries.access.credential.issuing import Issued, IssueRefusedError, Wanted
from registries.access.credential.narrowing import narrowing_of
from registries.access.models import Secret

STATUS = {"keyless": 403, "wider": 403, "owner_is_off": 403}
FIELDS = {"pattern": "repositories"}
NO_STORE = {"Cache-Control": "no-store"}


class RobotSecretList(ListView):
    serializer_class = RobotSecretSerializer
    keyset = ("-id",)
    queryset = Secret.objects.none()

    @extend_schema(summary="A robot's own secrets", tags=["access"], operation_id="robot_secrets")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Without the secrets; credentials of single CI jobs are left out."""
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Secret]:
        return _own(_came_with(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "current": getattr(self.request.auth, "pk", None)}

    @extend_schema(
        summary="Make the successor of one's own secret", tags=["access"], operation_id="robot_secret_create", parameters=[KEY],
        request=SuccessorBody, responses={201: SuccessorSerializer},
    )  # fmt: skip
    @sensitive_variables("made", "issued")
    def post(self, request: Request) -> Response:
        """Good for no more than the secret that asks, which ends after ``overlap_hours``. The answer is kept nowhere: by the same
        Idempotency-Key one is told which secret was made, not what it is."""
        secret = _came_with(request)
        body = SuccessorBody(data=request.data)
        body.is_valid(raise_exception=True)
        made: list[Issued] = []

        def work() -> Answer:
            made.append(_renew(secret, body.validated_data))
            return Answer(201, {"handle": made[0].stored.handle})

        answer = _once(request, secret, work)
        if not made:
            raise _made_before(answer)
        issued = made[0]
        secret.refresh_from_db()
        row = Secret.objects.select_related("robot", "replaces").get(pk=issued.stored.pk)
        until = secret.revoked_at or secret.expires_at
        data = SuccessorSerializer(row, context={"text": issued.text, "until": until}).data
        return Response(data, status=201, headers={**NO_STORE, "Location": f"/api/v1/robot-secrets/{row.handle}"})


class RobotSecretDetail(APIView):
    @extend_schema(
        summary="One of a robot's own secrets",
        tags=["access"],
        operation_id="robot_secret",
        responses=RobotSecretSerializer,
    )
    def get(self, request: Request, handle: str) -> Response:
        secret = _came_with(request)
        return Response(RobotSecretSerializer(_find(secret, handle), context={"current": secret.pk}).data)

    @extend_schema(
        summary="Revoke one of a robot's own secrets",
        tags=["access"],
        operation_id="robot_secret_revoke",
        responses={204: None},
    )
    def delete(self, request: Request, handle: str) -> Response:
        """Also the one this request comes with. Twice is once."""
        secret = _came_with(request)
        if secret.is_keyless:
            raise Problem(
                403, "keyless", "This credential was made for one CI job and leaves the robot's lasting secrets alone."
            )
        revoke_secret(secret.robot.actor, _find(secret, handle))
        return Response(status=204)


def _came_with(request: Request) -> Secret:
    """The secret that asks; raises Problem 403 ``robots_only``."""
    stored: Any = request.auth
    if not isinstance(stored, Secret):
        raise Problem(403, "robots_only", "This is for robots and their secrets; people make tokens under My access.")
    return stored


def _own(secret: Secret) -> QuerySet[Secret]:
    return Secret.objects.filter(robot=secret.robot_id, is_keyless=False).select_related("robot", "replaces")


def _find(secret: Secret, handle: str) -> Secret:
    row = _own(secret).filter(handle=handle[:24]).first() if handle.isalnum() else None
    if row is None:
        raise Http404
    return row


def _once(request: Request, secret: Secret, work: Any) -> Answer:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer: Answer = work()
        return answer
    asked = {"method": request.method, "path": request.path, "secret": secret.handle, "body": request.data}
    return answer_once(f"robot:{secret.robot_id}", key, asked, work)


def _made_before(answer: Answer) -> Problem:
    handle = answer.body["handle"]
    text = f"By this Idempotency-Key {handle} was made and given, once. Where it was lost, revoke it and ask with a new key."
    return Problem(409, "already_issued", text, handle=handle)


def _renew(secret: Secret, asked: dict[str, Any]) -> Issued:
    try:
        return renew_own(secret, _wanted(secret, asked), timedelta(hours=asked["overlap_hours"]))
    except WiderError as refusal:
        found = [{"field": FIELDS.get(name, name), "detail": f"{text}."} for name, text in refusal.findings]
        raise Problem(403, refusal.code, str(refusal), errors=found) from refusal
    except IssueRefusedError as refusal:
        more: dict[str, Any] = {"handle": refusal.handle} if refusal.handle else {}
        raise Problem(STATUS.get(refusal.code, 409), refusal.code, str(refusal), **more) from refusal


def _wanted(secret: Secret, asked: dict[str, Any]) -> Wanted:
    """What is left out is as it is now."""
    held = narrowing_of(secret)
    narrowing = Narrowing(
        pattern=asked.get("repositories", held.pattern),
        actions=",".join(asked["actions"]) if "actions" in asked else held.actions,
        registries=",".join(asked["registries"]) if "registries" in asked else held.registries,
        networks=", ".join(asked["networks"]) if "networks" in asked else held.networks,
    )
    changes = {name: asked[name] for name in ("name", "expires_at") if name in asked}
    return same_again(secret, timezone.now(), narrowing=narrowing, **changes)
