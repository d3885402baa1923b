"""Say beforehand that we are about to move a tag. What moves without an intent was not us."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model

from registries.catalog.models import Repository, TagIntent
from registries.oci.digest import Digest
from registries.topology.models import Registry


def declare_intent(
    registry: Registry, repository: str, tag: str, old_digest: str | None, new_digest: str | None, cause: Model
) -> TagIntent:
    """Call it right before the move, outside its request; ``new_digest`` None: the tag is about to go.

    Asked again for the same move and cause (a job that runs once more), it gives the intent that is there."""
    intent, _ = TagIntent.objects.get_or_create(
        registry=registry,
        repository=repository,
        tag=tag,
        new_digest=new_digest or "",
        cause_label=cause._meta.label_lower,
        cause_key=str(cause.pk),
        fulfilled_at=None,
        defaults={"old_digest": old_digest or "", "cause_name": str(cause)[:255]},
    )
    return intent


def withdraw_intent(registry: Registry, repository: str, tag: str, cause: Model) -> None:
    """The move was announced and surely did not happen: from now on it would again be somebody else's."""
    TagIntent.objects.filter(
        registry=registry,
        repository=repository,
        tag=tag,
        cause_label=cause._meta.label_lower,
        cause_key=str(cause.pk),
        fulfilled_at=None,
    ).delete()


def open_intents(repository: Repository, tags: Iterable[str]) -> dict[tuple[str, str], TagIntent]:
    """Moves of a repository that were announced and not seen yet, by tag and new digest ("" for a removal)."""
    rows = TagIntent.objects.filter(
        registry_id=repository.registry_id, repository=repository.name, tag__in=list(tags), fulfilled_at=None
    )
    return {(row.tag, str(row.new_digest)): row for row in rows.order_by("id")}


def fulfil_intents(intents: Iterable[TagIntent], at: datetime) -> None:
    """They were seen to have happened. Inside the transaction of the event."""
    TagIntent.objects.filter(pk__in=[intent.pk for intent in intents]).update(fulfilled_at=at)


def as_digest(value: str) -> Digest | None:
    """A stored digest, None for "nothing"."""
    return Digest.parse(value) if value else None
