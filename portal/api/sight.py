"""One repository or one promotion as its caller may see it; the rest looks as if it were not there."""

from django.http import Http404
from rest_framework.request import Request

from portal.api.callers import caller_of
from promotions.workflow.models import PromotionRequest
from promotions.workflow.queries import request_seen_by
from registries.catalog.models import Repository
from registries.catalog.queries import repositories_seen_by


def find_repository(request: Request, registry: str, name: str) -> Repository:
    """Raises Http404 where it is absent or may not be seen."""
    rows = repositories_seen_by(caller_of(request)).select_related("registry__zone")
    row = rows.filter(registry__name=registry, name=name).first()
    if row is None:
        raise Http404
    return row


def find_promotion(request: Request, public_id: str) -> PromotionRequest:
    """Raises Http404 where there is none or it may not be seen."""
    row = request_seen_by(caller_of(request), public_id)
    if row is None:
        raise Http404
    return row
