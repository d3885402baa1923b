"""What do all lists of the API have in common? Pages by key, JSON or CSV, and parameters that are checked."""

from typing import Any, ClassVar

from rest_framework import generics, serializers
from rest_framework.renderers import JSONRenderer

from portal.http.paging import KeysetPagination
from portal.http.tables import CsvRenderer


class ListView(generics.ListAPIView[Any]):
    """``keyset``: the order, ending in a unique column. ``parameters``: a serializer of the query, if there is one."""

    pagination_class = KeysetPagination
    renderer_classes = [JSONRenderer, CsvRenderer]
    keyset: ClassVar[tuple[str, ...]] = ("id",)
    parameters: ClassVar[type[serializers.Serializer[Any]] | None] = None

    def wanted(self) -> dict[str, Any]:
        """The query's parameters, checked; raises ValidationError with every finding."""
        if self.parameters is None:
            return {}
        given = self.parameters(data=self.request.query_params)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values
