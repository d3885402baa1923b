"""Ask for access, follow it, decide it. For people; robots are asked for by their teams."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import person_of
from portal.api.listing import ListView
from portal.api.serializers.access_requests import (
    AccessDecision,
    AccessRequestQuery,
    AccessRequestSerializer,
    AskForAccess,
)
from portal.http.problem import Problem
from portal.users.models import User
from registries.access.asking.outlook import Subject, Wish
from registries.access.asking.request_decisions import grant_access, refuse_access
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_rights import requests_seen_by, waiting_for
from registries.access.asking.requests import ask_for_access, may_ask_for, withdraw_request
from registries.topology.models import Registry

WHAT = "asking for access and deciding about it"


class AccessRequestList(ListView):
    serializer_class = AccessRequestSerializer
    parameters = AccessRequestQuery
    keyset = ("-id",)
    queryset = AccessRequest.objects.none()

    @extend_schema(
        summary="Requests for access", tags=["access"], parameters=[AccessRequestQuery], operation_id="access_requests"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        person_of(request, WHAT)
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[AccessRequest]:
        person, wanted = person_of(self.request, WHAT), self.wanted()
        show = wanted.get("show", "all")
        rows = waiting_for(person) if show == "waiting" else requests_seen_by(person)
        rows = rows.filter(requester=person) if show == "mine" else rows
        filters = {"state": "state", "registry": "registry__name"}
        return rows.filter(**{field: wanted[name] for name, field in filters.items() if wanted.get(name)})

    @extend_schema(
        summary="Ask for access",
        tags=["access"],
        operation_id="access_request_create",
        request=AskForAccess,
        responses={201: AccessRequestSerializer},
    )
    def post(self, request: Request) -> Response:
        person = person_of(request, WHAT)
        body = AskForAccess(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        registry = get_object_or_404(Registry.objects.select_related("zone", "fronts"), name=asked["registry"])
        wish = Wish(
            _subject(person, asked), registry, asked["pattern"].strip(), tuple(asked["actions"]), asked["ends_at"]
        )
        made = ask_for_access(person, wish, asked["reason"])
        headers = {"Location": f"/api/v1/access-requests/{made.pk}"}
        return Response(shown(person, made.pk), status=201, headers=headers)


def _subject(person: User, asked: dict[str, Any]) -> Subject:
    """Of what one may ask for; whatever else looks as if it were not there."""
    teams, robots = may_ask_for(person)
    if asked["team"]:
        found: Subject | None = next((team for team in teams if team.name == asked["team"]), None)
    elif asked["robot"]:
        name = asked["robot"].removeprefix("robot.")
        found = next((robot for robot in robots if robot.name == name), None)
    else:
        return person
    if found is None:
        text = "You are in no such team, and no team of yours has such a robot. People ask for themselves, their teams and the robots of these."
        raise Problem(403, "not_your_team", text)
    return found


def find(person: User, pk: int) -> AccessRequest:
    """Raises Http404 where there is none or it may not be seen."""
    found = requests_seen_by(person).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def shown(person: User, pk: int) -> dict[str, Any]:
    data: dict[str, Any] = AccessRequestSerializer(find(person, pk)).data
    return data


class AccessRequestDetail(APIView):
    @extend_schema(
        summary="One request for access",
        tags=["access"],
        operation_id="access_request",
        responses=AccessRequestSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        return Response(shown(person_of(request, WHAT), pk))


class AccessRequestDecision(APIView):
    @extend_schema(
        summary="Decide about a request for access",
        tags=["access"],
        operation_id="access_request_decide",
        request=AccessDecision,
        responses={201: AccessRequestSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        person = person_of(request, WHAT)
        row = find(person, pk)
        body = AccessDecision(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        if said.pop("decision") == "grant":
            grant_access(person, row, **said)
        else:
            refuse_access(person, row, said["version"], said["comment"])
        return Response(shown(person, pk), status=201)


class AccessRequestWithdraw(APIView):
    @extend_schema(
        summary="Take a request for access back",
        tags=["access"],
        operation_id="access_request_withdraw",
        request=None,
        responses=AccessRequestSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        person = person_of(request, WHAT)
        withdraw_request(person, find(person, pk))
        return Response(shown(person, pk))
