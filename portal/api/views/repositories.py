"""What is in the registries? Only what the caller may pull is shown; the rest looks as if it were not there."""

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import caller_of
from portal.api.listing import ListView
from portal.api.serializers.repositories import (
    RepositoryQuery,
    RepositorySerializer,
    TagEventSerializer,
    TagSerializer,
)
from portal.api.sight import find_repository
from registries.catalog.models import Repository, Tag, TagEvent
from registries.catalog.queries import history_of, repositories_seen_by, tags_of


@extend_schema_view(
    get=extend_schema(
        summary="Repositories", tags=["catalog"], parameters=[RepositoryQuery], operation_id="repositories"
    )
)
class RepositoryList(ListView):
    serializer_class = RepositorySerializer
    parameters = RepositoryQuery
    keyset = ("name", "id")
    queryset = Repository.objects.none()

    def get_queryset(self) -> QuerySet[Repository]:
        wanted = self.wanted()
        rows = repositories_seen_by(caller_of(self.request)).select_related("registry")
        if wanted["registry"]:
            rows = rows.filter(registry__name=wanted["registry"])
        return rows.filter(name__icontains=wanted["q"]) if wanted["q"] else rows


@extend_schema_view(
    get=extend_schema(
        summary="One repository", tags=["catalog"], responses=RepositorySerializer, operation_id="repository"
    )
)
class RepositoryDetail(APIView):
    def get(self, request: Request, registry: str, name: str) -> Response:
        return Response(RepositorySerializer(find_repository(request, registry, name)).data)


@extend_schema_view(get=extend_schema(summary="Tags of a repository", tags=["catalog"], operation_id="tags"))
class TagList(ListView):
    serializer_class = TagSerializer
    keyset = ("name",)
    queryset = Tag.objects.none()

    def get_queryset(self) -> QuerySet[Tag]:
        return tags_of(find_repository(self.request, self.kwargs["registry"], self.kwargs["name"]))


@extend_schema_view(
    get=extend_schema(summary="What a tag was before, newest first", tags=["catalog"], operation_id="tag_history")
)
class TagHistory(ListView):
    serializer_class = TagEventSerializer
    keyset = ("-id",)
    queryset = TagEvent.objects.none()

    def get_queryset(self) -> QuerySet[TagEvent]:
        repository = find_repository(self.request, self.kwargs["registry"], self.kwargs["name"])
        rows = history_of(repository, self.kwargs["tag"])
        if not rows.exists():
            raise Http404
        return rows
