"""Which files make a client pull from the closest registry?"""

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import caller_of
from portal.api.serializers.client_config import ClientConfigQuery, ClientConfigSerializer
from portal.http.problem import Problem
from portal.users.models import NAME
from registries.access.client_files.closest import Plan, plan_routes
from registries.access.client_files.files import ClientSetup
from registries.access.client_files.kubernetes import NOBODY_YET, Puller
from registries.access.client_files.rows import client_registries, location_names
from registries.access.client_files.setups import files_by_path, setups_for
from registries.access.models import RobotAccount
from registries.access.who import ROBOT_PREFIX


class ClientConfig(APIView):
    @extend_schema(
        summary="Files that make clients pull from the closest registries",
        tags=["access"],
        operation_id="client_config",
        parameters=[ClientConfigQuery],
        responses=ClientConfigSerializer,
    )
    def get(self, request: Request) -> Response:
        """As ``manage.py client_config`` writes them, but for secrets: the portal keeps none that it could give."""
        query = ClientConfigQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        plan = plan_routes(client_registries(), _location(asked["location"]))
        setups = setups_for(asked["for"], plan, _puller(request, asked))
        return Response(ClientConfigSerializer(_body(plan, setups)).data)


def _location(name: str) -> str:
    known = location_names()
    if name and name not in known:
        there_are = ", ".join(known) or "none yet"
        raise Problem(404, "unknown_location", f"There is no location named {name}. There are: {there_are}.")
    return name


def _puller(request: Request, asked: dict[str, Any]) -> Puller:
    """A name is taken as it is written: whether there is such a robot is nothing to be found out here."""
    caller = caller_of(request)
    name = asked["robot"].removeprefix(ROBOT_PREFIX)
    if not name and isinstance(caller, RobotAccount):
        name = caller.name
    if name:
        _check_name(name)
    puller = Puller(
        f"{ROBOT_PREFIX}{name}" if name else NOBODY_YET,
        secret_name=asked["secret_name"],
        namespace=asked["namespace"],
    )
    for finding in puller.findings:
        raise Problem(400, "invalid", finding)
    return puller


def _check_name(name: str) -> None:
    try:
        NAME(name)
    except ValidationError as error:
        raise Problem(400, "invalid", f"{name} is no name that a robot can have.") from error


def _body(plan: Plan, setups: list[ClientSetup]) -> dict[str, Any]:
    return {
        "location": plan.location,
        "files": {path: file.text for path, file in files_by_path(setups).items()},
        "notes": {setup.client: [{"text": note.text, "code": note.code} for note in setup.notes] for setup in setups},
        "routes": [
            {"host": route.original.written, "tried": [one.name for one in route.tried]} for route in plan.routes
        ],
        "logins": [one.written for one in plan.logins],
        "remarks": list(plan.remarks),
    }
