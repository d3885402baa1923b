"""Which registries are there, and how are they?"""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.listing import ListView
from portal.api.serializers.registries import RegistrySerializer
from registries.topology.models import Registry


def registry_rows() -> QuerySet[Registry]:
    """With everything the API shows of them, in one query."""
    return Registry.objects.select_related("zone", "location", "primary", "fronts", "owner", "health", "sync_state")


@extend_schema_view(get=extend_schema(summary="All registries", tags=["catalog"], operation_id="registries"))
class RegistryList(ListView):
    serializer_class = RegistrySerializer
    keyset = ("name",)

    def get_queryset(self) -> QuerySet[Registry]:
        return registry_rows()


@extend_schema_view(
    get=extend_schema(summary="One registry", tags=["catalog"], responses=RegistrySerializer, operation_id="registry")
)
class RegistryDetail(APIView):
    def get(self, request: Request, name: str) -> Response:
        return Response(RegistrySerializer(get_object_or_404(registry_rows(), name=name)).data)
