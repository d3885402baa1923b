"""Who am I here, and why may I do this and not that?"""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import caller_of
from portal.api.serializers.access import ExplainQuery, ExplanationSerializer, WhoamiSerializer
from portal.http.problem import Problem
from portal.users.models import User
from portal.users.queries import teams_of
from registries.access.explain import explain_whole, facts_of
from registries.access.explaining.curiosity import REFUSAL, may_ask_about
from registries.access.explaining.question import BadQuestionError, Question, read_question
from registries.access.models import RobotAccount, StoredSecret
from registries.access.who import principal_of
from registries.topology.models import Registry


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
        """By the very function that decides about tokens; what lost and why, what would have to change, and who can change it."""
        query = ExplainQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        question = _question(request, query.validated_data)
        return Response(ExplanationSerializer(facts_of(question, explain_whole(question))).data)


def _question(request: Request, asked: dict[str, Any]) -> Question:
    """Raises Problem and Http404."""
    registry = get_object_or_404(Registry.objects.select_related("zone", "fronts__zone"), name=asked["registry"])
    who = asked["who"].strip() or principal_of(caller_of(request)).name
    _check_curiosity(request, who)
    try:
        return read_question(
            who,
            asked["action"],
            registry,
            asked["repository"],
            timezone.now(),
            address=asked["address"],
            credential=asked["credential"],
            at=asked["at"],
        )
    except BadQuestionError as error:
        if error.field == "who":
            raise Problem(404, "unknown_principal", str(error)) from error
        raise ValidationError({error.field: [str(error)]}) from error


def _check_curiosity(request: Request, who: str) -> None:
    caller = caller_of(request)
    if may_ask_about(caller, who):
        return
    if isinstance(caller, RobotAccount):
        raise Problem(403, "people_only", f"{caller} is a robot; robots may ask about themselves and about strangers.")
    raise Problem(403, "role_required", REFUSAL)
