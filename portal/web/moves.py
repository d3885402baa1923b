"""What moved last? Tag events with what is needed to name them."""

from django.db.models import QuerySet

from portal.users.models import User
from registries.catalog.models import Repository, TagEvent
from registries.catalog.queries import repositories_seen_by


def last_moves(user: User, count: int, repositories: QuerySet[Repository] | None = None) -> list[TagEvent]:
    """The newest moves that this person may see; what was there when a registry joined did not move."""
    moves = TagEvent.objects.exclude(source=TagEvent.Source.BASELINE)
    if repositories is None:
        repositories = repositories_seen_by(user, with_absent=True)
    moves = moves.filter(repository__in=repositories)
    return list(moves.select_related("repository__registry", "intent").order_by("-at", "-id")[:count])
