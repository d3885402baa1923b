"""The robots of a team and their secrets, for its members to see and its maintainers to look after."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import person_of
from portal.api.listing import ListView
from portal.api.serializers.teams import (
    IssuedSecretSerializer,
    RobotBody,
    RobotSerializer,
    SecretBody,
    SecretSerializer,
)
from portal.http.problem import Problem
from portal.users.models import Membership, Team, User
from registries.access.credential.issuing import Wanted
from registries.access.models import RobotAccount, Secret
from registries.access.robots import issue_secret_of, make_robot, retire_robot, revoke_secret_of

WHAT = "looking after robots"
LONGEST = timedelta(days=366)


def find_team(person: User, name: str) -> Team:
    """Raises Http404 where there is none and where it is another's alike."""
    team = Team.objects.filter(name=name).first()
    if team is None or not (person.has_role() or Membership.objects.filter(team=team, user=person).exists()):
        raise Http404
    return team


def find_robot(person: User, team: str, name: str) -> RobotAccount:
    """Of this very team; raises Http404."""
    rows = RobotAccount.objects.select_related("team").filter(team=find_team(person, team))
    return get_object_or_404(rows, name=name.removeprefix("robot."))


class TeamRobots(ListView):
    serializer_class = RobotSerializer
    keyset = ("name",)
    queryset = RobotAccount.objects.none()

    @extend_schema(summary="Robots of a team", tags=["teams"], operation_id="team_robots")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[RobotAccount]:
        team = find_team(person_of(self.request, WHAT), self.kwargs["name"])
        return RobotAccount.objects.filter(team=team).select_related("team")

    @extend_schema(
        summary="Make a robot of a team",
        tags=["teams"],
        operation_id="team_robot_create",
        request=RobotBody,
        responses={201: RobotSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        person = person_of(request, WHAT)
        team = find_team(person, name)
        body = RobotBody(data=request.data)
        body.is_valid(raise_exception=True)
        made = make_robot(person, team, **body.validated_data)
        return Response(RobotSerializer(made).data, status=201)


class TeamRobot(APIView):
    @extend_schema(summary="One robot", tags=["teams"], operation_id="team_robot", responses=RobotSerializer)
    def get(self, request: Request, name: str, robot: str) -> Response:
        return Response(RobotSerializer(find_robot(person_of(request, WHAT), name, robot)).data)

    @extend_schema(
        summary="Retire a robot: its secrets are revoked",
        tags=["teams"],
        operation_id="team_robot_retire",
        responses={204: None},
    )
    def delete(self, request: Request, name: str, robot: str) -> Response:
        person = person_of(request, WHAT)
        retire_robot(person, find_robot(person, name, robot))
        return Response(status=204)


class RobotSecrets(ListView):
    serializer_class = SecretSerializer
    keyset = ("-id",)
    queryset = Secret.objects.none()

    @extend_schema(summary="Secrets of a robot", tags=["teams"], operation_id="team_robot_secrets")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Secret]:
        robot = find_robot(person_of(self.request, WHAT), self.kwargs["name"], self.kwargs["robot"])
        return Secret.objects.filter(robot=robot, is_keyless=False)

    @extend_schema(
        summary="Issue a secret; it is told this once",
        tags=["teams"],
        operation_id="team_robot_secret_create",
        request=SecretBody,
        responses={201: IssuedSecretSerializer},
    )
    def post(self, request: Request, name: str, robot: str) -> Response:
        person = person_of(request, WHAT)
        found = find_robot(person, name, robot)
        body = SecretBody(data=request.data)
        body.is_valid(raise_exception=True)
        ends_at = body.validated_data["expires_at"]
        if not timezone.now() < ends_at <= timezone.now() + LONGEST:
            raise Problem(422, "bad_end", "It has to end between now and a year from now.")
        issued = issue_secret_of(person, found, Wanted(body.validated_data["name"], ends_at))
        headers = {"Cache-Control": "no-store"}
        stored: Any = issued.stored
        return Response({**SecretSerializer(stored).data, "secret": issued.text}, status=201, headers=headers)


class RobotSecret(APIView):
    @extend_schema(
        summary="Revoke a secret", tags=["teams"], operation_id="team_robot_secret_revoke", responses={204: None}
    )
    def delete(self, request: Request, name: str, robot: str, pk: int) -> Response:
        person = person_of(request, WHAT)
        found = find_robot(person, name, robot)
        secret = get_object_or_404(Secret.objects.select_related("robot__team").filter(robot=found), pk=pk)
        revoke_secret_of(person, secret)
        return Response(status=204)
