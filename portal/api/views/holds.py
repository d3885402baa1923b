"""What must not be deleted, and why? Everyone with a role may look, security may place legal holds and take them off."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import require_role
from portal.api.listing import ListView
from portal.api.serializers.holds import HoldBody, HoldQuery, HoldSerializer
from portal.http.problem import Problem
from portal.users.models import Role
from registries.catalog.holds import active_holds, place_legal_hold, release_hold
from registries.catalog.models import Hold


class HoldList(ListView):
    serializer_class = HoldSerializer
    parameters = HoldQuery
    keyset = ("-id",)
    queryset = Hold.objects.none()

    @extend_schema(summary="Holds in force", tags=["holds"], parameters=[HoldQuery], operation_id="holds")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        require_role(request, *Role.values)
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Hold]:
        return active_holds(timezone.now()).filter(**self.wanted())

    @extend_schema(
        summary="Place a legal hold",
        tags=["holds"],
        operation_id="hold_place",
        request=HoldBody,
        responses={201: HoldSerializer},
    )
    def post(self, request: Request) -> Response:
        person = require_role(request, Role.SECURITY)
        body = HoldBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        hold = place_legal_hold(person.actor, person, asked["digest"], asked["reason"], asked["expires_at"])
        return Response(HoldSerializer(hold).data, status=201)


class HoldDetail(APIView):
    @extend_schema(summary="Take a legal hold off", tags=["holds"], operation_id="hold_release", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        person = require_role(request, Role.SECURITY)
        hold = get_object_or_404(Hold, pk=pk)
        if hold.kind != Hold.Kind.LEGAL:
            text = f"This hold is there for {hold.get_kind_display()}, which lets go of it by itself; only legal holds are taken off."
            raise Problem(409, "not_a_legal_hold", text)
        release_hold(person.actor, hold)
        return Response(status=204)
