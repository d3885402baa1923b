"""Which names does nobody own? Repositories that no namespace of their zone covers, grouped by the first part of their names, by the
database: there may be a million of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import CharField, Count, Exists, Expression, F, Max, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat, StrIndex, Substr

from registries.access.counts.record_models import AccessUse
from registries.access.models import Namespace
from registries.catalog.models import Repository

SLASH: Final = Value("/")
# A prefix of more parts than this is held against whole names alone.
MOST_PARTS: Final = 8
PUSHERS_SHOWN: Final = 3
Part = F | OuterRef | Expression


def without_owner(rows: QuerySet[Repository]) -> QuerySet[Repository]:
    """Those whose zone has no namespace around them. One look into an index for each length that prefixes have."""
    for parts in _lengths():
        around = Namespace.objects.filter(zone=OuterRef("registry__zone"), prefix=first_parts(OuterRef("name"), parts))
        rows = rows.filter(~Exists(around))
    return rows


def _lengths() -> list[int]:
    """How many parts prefixes have, each number once."""
    slashes = {prefix.count("/") for prefix in Namespace.objects.values_list("prefix", flat=True).iterator()}
    return sorted({min(count + 1, MOST_PARTS) for count in slashes})


def first_parts(name: Any, parts: int) -> Expression:
    """The first parts of a name, or all of it where it has no more; in words that both databases share."""
    path = Concat(name, SLASH)
    end: Any = StrIndex(path, SLASH)
    for _ in range(parts - 1):
        end = end + StrIndex(Substr(path, end + 1), SLASH)
    return Substr(name, 1, end - 1, output_field=CharField())


def unowned_groups(zone: str = "", registry: str = "", text: str = "") -> QuerySet[Any]:
    """A row for each registry and first part: ``key`` (unique), ``registry_name``, ``zone_name``, ``head``, ``repositories``, ``bytes``,
    ``moved``. Narrowed by names of zone and registry, and by a part of the first part."""
    rows = Repository.objects.filter(absent_since=None)
    if zone:
        rows = rows.filter(registry__zone__name=zone)
    if registry:
        rows = rows.filter(registry__name=registry)
    grouped = without_owner(rows).annotate(
        head=first_parts(F("name"), 1), registry_name=F("registry__name"), zone_name=F("registry__zone__name")
    )
    if text:
        grouped = grouped.filter(head__icontains=text)
    return (
        grouped.annotate(key=Concat("registry_name", SLASH, "head"))
        .order_by()
        .values("key", "registry_id", "registry_name", "zone_name", "head")
        .annotate(repositories=Count("pk"), bytes=Sum("size_bytes"), moved=Max("last_moved_at"))
        .values_list(
            "key", "registry_id", "registry_name", "zone_name", "head", "repositories", "bytes", "moved", named=True
        )
    )


def pushers_of(groups: Iterable[Any]) -> Mapping[str, list[str]]:
    """Who was given a token to push there in the last month, the latest first, by the group's ``key``."""
    wanted, where = {(row.registry_id, row.head): row.key for row in groups}, Q(pk__in=[])
    for registry, head in wanted:
        where |= Q(registry=registry) & (Q(repository=head) | Q(repository__prefix=f"{head}/"))
    uses = AccessUse.objects.filter(where, granted__contains="push").annotate(head=first_parts(F("repository"), 1))
    found: dict[str, list[str]] = defaultdict(list)
    rows = uses.values("registry_id", "head", "principal").annotate(last=Max("last_at")).order_by("-last", "principal")
    for row in rows:
        names = found[wanted[row["registry_id"], row["head"]]]
        if len(names) < PUSHERS_SHOWN:
            names.append(row["principal"])
    return found


def is_unowned(zone: int, head: str) -> bool:
    """Whether there is still anything under the first part that nobody owns."""
    rows = Repository.objects.filter(Q(name=head) | Q(name__prefix=f"{head}/"), registry__zone=zone, absent_since=None)
    return without_owner(rows).exists()
