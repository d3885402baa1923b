"""Who am I here, and why may I do this and not that?"""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import caller_of, require_role
from portal.api.serializers.access import ExplainQuery, ExplanationSerializer, WhoamiSerializer
from portal.http.problem import Problem
from portal.users.models import Role, User
from portal.users.queries import teams_of
from registries.access.explain import explain
from registries.access.models import RobotAccount, StoredSecret
from registries.access.principals import Principal
from registries.access.who import UnknownPrincipalError, find_principal, principal_of
from registries.topology.models import Registry

EXPLAINERS = (Role.PLATFORM_ADMIN, Role.SECURITY, Role.AUDITOR)


class Whoami(APIView):
    @extend_schema(summary="Who the caller is", tags=["access"], operation_id="whoami", responses=WhoamiSerializer)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        stored: StoredSecret | None = request.auth  # type: ignore[assignment]
        facts = _robot(caller) if isinstance(caller, RobotAccount) else _person(caller)
        body = {
            **facts,
            "credential": stored.name or stored.handle if stored is not None else "session",
            "expires_at": getattr(stored, "expires_at", None),
        }
        return Response(WhoamiSerializer(body).data)


def _robot(robot: RobotAccount) -> dict[str, Any]:
    return {"kind": "robot", "name": robot.login, "teams": [robot.team.name], "roles": [], "robot_kind": robot.kind}


def _person(user: User) -> dict[str, Any]:
    teams = [team.name for team in teams_of(user)]
    return {
        "kind": "user",
        "name": user.username,
        "teams": teams,
        "roles": sorted(user.role_names),
        "robot_kind": None,
    }


class Explain(APIView):
    @extend_schema(
        summary="Why something is allowed or refused",
        tags=["access"],
        operation_id="explain",
        parameters=[ExplainQuery],
        responses=ExplanationSerializer,
    )
    def get(self, request: Request) -> Response:
        """By the very function that decides about tokens."""
        query = ExplainQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        registry = get_object_or_404(Registry.objects.select_related("zone"), name=asked["registry"])
        principal = _principal(request, asked["who"].strip())
        answer = explain(principal, asked["action"], registry, asked["repository"], timezone.now())
        body = {
            "who": principal.name or principal.kind,
            "action": asked["action"],
            "registry": registry.name,
            "repository": asked["repository"],
            "is_allowed": answer.is_allowed,
            "code": answer.code,
            "reason": answer.reason,
            "fix": answer.fix,
            "rule": answer.rule,
        }
        return Response(ExplanationSerializer(body).data)


def _principal(request: Request, who: str) -> Principal:
    own = principal_of(caller_of(request))
    if who in ("", own.name):
        return own
    require_role(request, *EXPLAINERS)
    try:
        return find_principal(who)
    except UnknownPrincipalError as error:
        raise Problem(404, "unknown_principal", str(error)) from error
