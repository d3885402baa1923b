"""What is this digest, where is it, and how did it get there?"""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.passport import passport_of
from portal.api.serializers.passports import PassportSerializer
from portal.http.problem import Problem
from registries.oci.digest import Digest, InvalidDigest


class Passport(APIView):
    @extend_schema(
        summary="The passport of a digest", tags=["catalog"], operation_id="manifest", responses=PassportSerializer
    )
    def get(self, request: Request, digest: str) -> Response:
        try:
            passport = passport_of(request, Digest.parse(digest))
        except InvalidDigest as error:
            raise Problem(400, "bad_digest", f"{error}.") from error
        if passport is None:
            raise Http404
        return Response(PassportSerializer(passport).data)
