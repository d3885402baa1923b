"""What moved last? Tag events with what is needed to name them."""

from registries.catalog.models import TagEvent


def last_moves(count: int, **narrow: object) -> list[TagEvent]:
    """The newest moves; what was there when a registry joined did not move."""
    moves = TagEvent.objects.exclude(source=TagEvent.Source.BASELINE).filter(**narrow)
    return list(moves.select_related("repository__registry", "intent").order_by("-at", "-id")[:count])
