"""Write one fact into the record, in the transaction of what it records."""

from typing import Any

import rfc8785
from django.db import connection, models, transaction
from django.http import HttpRequest
from django.utils import timezone

from portal.actor import Actor
from portal.audit.models import AuditEvent
from portal.http.request_id import current_request_id


def record(
    actor: Actor, verb: str, subject: models.Model | None = None, *, name: str = "", **detail: Any
) -> AuditEvent:
    """Record that ``actor`` did ``verb`` (``noun.past_participle``) to ``subject``. Detail must be JSON; never a secret.

    Raises TransactionManagementError outside a transaction: a fact and its record stand or fall together. Raises ValueError
    on a detail that has no canonical form (NaN, whole numbers past 2^53): it could never be sealed, nor anything after it."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"{verb} would be recorded outside the transaction that does it.")
    _check_sealable(verb, detail)
    return AuditEvent.objects.create(
        at=timezone.now(),
        verb=verb,
        actor_kind=actor.kind,
        actor_key=actor.key,
        actor_name=actor.name,
        object_label=subject._meta.label_lower if subject is not None else "",
        object_key=str(subject.pk) if subject is not None else "",
        object_name=(name or str(subject) if subject is not None else name)[:512],
        detail=detail,
        request_id=current_request_id.get(),
    )


def _check_sealable(verb: str, detail: Any) -> None:
    try:
        rfc8785.dumps(_numbers_as_read_back(detail))
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"The detail of {verb} cannot be sealed: {error}.") from error


def _numbers_as_read_back(value: Any) -> Any:
    """PostgreSQL keeps 1e22 as a whole number, which it then is when it comes back."""
    if isinstance(value, dict):
        return {key: _numbers_as_read_back(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_as_read_back(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def record_admin_change(request: HttpRequest, subject: models.Model, verb: str, detail: dict[str, Any]) -> None:
    """A row created, changed or deleted in the admin."""
    user: Any = request.user
    record(Actor("user", str(user.pk), user.get_username()), f"{subject._meta.model_name}.{verb}", subject, **detail)
