"""Keyless CI: where a job exchanges its identity token, and for whom it has to be made."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.serializers.oidc import AudienceSerializer, ExchangeBody, ExchangedSerializer
from portal.http.client_address import client_address
from portal.http.problem import Problem
from registries.access.keyless.federation import TooManyExchangesError, exchange_token
from registries.access.keyless.identity_token import RefusedTokenError

# One for everything that can be wrong: whoever guesses learns nothing, an admin finds the reason by the request_id.
REFUSED = (
    "This token is not taken. It must come from an issuer that is configured here, be made for the audience of "
    "/api/v1/oidc/audience, be fresh and unused, and match a rule. A platform admin finds the reason in the audit."
)


class OidcExchange(APIView):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        summary="Exchange an identity token", tags=["access"], operation_id="oidc_exchange", auth=[],
        request=ExchangeBody, responses=ExchangedSerializer,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A robot's credential for 15 minutes, for the identity token of a CI job."""
        body = ExchangeBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        try:
            made = exchange_token(wanted["token"], wanted["robot"], client_address(request), timezone.now())
        except RefusedTokenError as error:
            raise Problem(403, "token_refused", REFUSED) from error
        except TooManyExchangesError as error:
            raise Problem(429, "too_many", f"{error} Try again in a minute.", retry_after=60) from error
        return Response(ExchangedSerializer(made).data, headers={"Cache-Control": "no-store"})


class OidcAudience(APIView):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        summary="Audience for identity tokens", tags=["access"], operation_id="oidc_audience", auth=[],
        responses=AudienceSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """What a CI job has to ask its issuer for: this portal and no other."""
        return Response({"audience": settings.PORTAL_BASE_URL})
