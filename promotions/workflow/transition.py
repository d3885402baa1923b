"""The one way a request changes its state: conditionally, with version, audit event and message in the same transaction."""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from promotions.workflow.models import PromotionRequest, RequestState, TagLock
from promotions.workflow.states import OPEN, may_move
from promotions.workflow.tell import tell_about
from registries.catalog.holds import release_holds


class Conflict(Problem):
    """The request is not where it was thought to be."""

    def __init__(self, request: PromotionRequest, wanted: str) -> None:
        now = request.state_word
        text = f"Promotion {request.public_id} is {now} by now, so it cannot become {wanted.replace('_', ' ')}."
        super().__init__(409, "conflict", text, state=request.state, version=request.version)


def locked(request: PromotionRequest) -> PromotionRequest:
    """The request as it is now, kept from others until the transaction ends."""
    rows = PromotionRequest.objects.select_for_update(of=("self",)).select_related("path__source", "path__target")
    return rows.get(pk=request.pk)


def transition(
    request: PromotionRequest,
    to: RequestState,
    *,
    actor: Actor,
    expect: Collection[str],
    code: str = "",
    text: str = "",
    **fields: Any,
) -> PromotionRequest:
    """Move a request to ``to`` if it is in one of ``expect``; raises Conflict otherwise. ``fields`` are written along.

    Tags are free for others as soon as nothing of this request can move them any more."""
    with transaction.atomic():
        row = locked(request)
        if row.state not in expect or not may_move(row.state, to):
            raise Conflict(row, to)
        before = row.state
        changes = {**fields, "state": to, "reason_code": code, "reason_text": text, "version": row.version + 1}
        for name, value in changes.items():
            setattr(row, name, value)
        row.save(update_fields=list(changes))
        if before in OPEN and to not in OPEN:
            TagLock.objects.filter(request=row).delete()
            release_holds(row)
        record(actor, f"promotion.{to}", row, was=before, code=code, text=text, version=row.version)
        tell_about(row)
    for name in changes:
        setattr(request, name, getattr(row, name))
    return row
