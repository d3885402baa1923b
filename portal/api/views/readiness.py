"""Is an image whole where it is wanted? For deployments and for CI; rows alone, so it may be asked often."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.callers import caller_of
from portal.api.serializers.readiness import ReadyQuery, ReadySerializer
from portal.http.problem import Problem
from promotions.replication.readiness import Readiness, readiness_of
from promotions.workflow.queries import requests_seen_by
from registries.access.queries import may
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind

HIDDEN = "It is not there, or you may not see it."


class Ready(APIView):
    @extend_schema(
        summary="Is an image whole at these registries?",
        tags=["readiness"],
        operation_id="ready",
        parameters=[ReadyQuery],
        responses=ReadySerializer,
    )
    def get(self, request: Request) -> Response:
        query = ReadyQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        digest, repository = query.validated_data["digest"], query.validated_data["repository"]
        registries = registries_named(query.validated_data["registries"], repository)
        answers = answers_for(request, digest, repository, registries)
        is_ready = bool(answers) and all(answer.is_ready for answer in answers)
        body = {"digest": digest, "repository": repository, "is_ready": is_ready, "registries": answers}
        return Response(ReadySerializer(body).data)


def registries_named(names: Sequence[str], repository: str) -> list[Registry]:
    """In the order they were named; without names, all that have the repository or follow one that has."""
    rows = Registry.objects.select_related("zone")
    if not names:
        here = Q(repositories__name=repository, repositories__absent_since=None)
        follows = Q(replication_rules_in__is_enabled=True, replication_rules_in__source__repositories__name=repository)
        no_cache = ~Q(zone__kind__in=[ZoneKind.CACHE, ZoneKind.UPSTREAM])
        return list(rows.filter(here | follows, no_cache).distinct())
    found = {row.name: row for row in rows.filter(name__in=names)}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise Problem(404, "unknown_registry", f"There is no registry named {', '.join(unknown)[:300]}.")
    return [found[name] for name in names]


def answers_for(request: Request, digest: Digest, repository: str, registries: Sequence[Registry]) -> list[Readiness]:
    """To those who may not look, absence and refusal look alike."""
    seen = {row.pk for row in registries if _may_look(request, digest, repository, row)}
    answers = {
        row.registry: row for row in readiness_of(digest, repository, [row for row in registries if row.pk in seen])
    }
    return [answers.get(row.name) or Readiness(row.name, False, "missing", HIDDEN) for row in registries]


def _may_look(request: Request, digest: Digest, repository: str, registry: Registry) -> bool:
    """Who may pull it there, who holds a role, and whoever had it promoted under this name: CI waits for what it cannot pull."""
    user: Any = request.user
    if user.has_role() or may(caller_of(request), "pull", registry, repository):
        return True
    asked = requests_seen_by(caller_of(request)).filter(items__digest=digest, items__target_repository=repository)
    return asked.filter(Q(path__target=registry) | Q(path__target=registry.primary_id)).exists()
