"""What should be where, and is it? For the pages, the API and the promotions above."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from portal.users.models import User
from promotions.replication.match import is_referrers_tag
from promotions.replication.models import Delivery
from registries.access.explain import explain_from
from registries.access.models import RobotAccount
from registries.access.snapshot import current_snapshot
from registries.access.who import principal_of
from registries.catalog.models import Tag
from registries.oci.digest import Digest
from registries.topology.models import Registry

ROWS_AT_MOST = 200
DRIFTED = "It was delivered and read back; since then {target} shows {found} instead."


@dataclass(frozen=True)
class Cell:
    """One tag at one target. ``state``: pending, copying, present, failed, or drifted: delivered, and not so any more."""

    state: str
    reason: str
    verified_at: datetime | None
    delivery_id: int


@dataclass(frozen=True)
class RegionRow:
    repository: str
    tag: str
    digest: Digest
    cells: Mapping[str, Cell]

    @property
    def is_whole(self) -> bool:
        """Whether every target that should have it has it."""
        return all(cell.state == Delivery.State.PRESENT for cell in self.cells.values())


@dataclass(frozen=True)
class Regions:
    """Image by region; ``is_cut``: there are more rows than are shown."""

    targets: tuple[str, ...]
    rows: tuple[RegionRow, ...]
    is_cut: bool


def deliveries_of(digest: Digest) -> QuerySet[Delivery]:
    """Where a digest should be by rule, and whether it is."""
    rows = Delivery.objects.filter(digest=digest)
    return rows.select_related("rule__source", "rule__target", "copy_job").order_by("rule__target__name", "tag")


def deliveries_from(source: Registry, repository: str, digest: Digest, tags: Iterable[str] = ()) -> QuerySet[Delivery]:
    """Deliveries of an artifact that a source passes on, for all its tags or for some."""
    rows = deliveries_of(digest).filter(rule__source=source, repository=repository)
    names = list(tags)
    return rows.filter(tag__in=names) if names else rows


def seen_by(subject: User | RobotAccount, rows: Iterable[Delivery]) -> list[Delivery]:
    """Those that somebody may know of: who may pull there or where it comes from, and every person with a role."""
    if isinstance(subject, User) and subject.has_role():
        return list(rows)
    snapshot, principal, now = current_snapshot(), principal_of(subject), timezone.now()

    def may_pull(registry: Registry, repository: str) -> bool:
        return explain_from(snapshot, principal, "pull", registry, repository, now).is_allowed

    return [row for row in rows if any(may_pull(end, row.repository) for end in (row.rule.source, row.rule.target))]


def regions(source: Registry, repository: str = "", limit: int = ROWS_AT_MOST) -> Regions:
    """The newest wishes first, with every target's state beside each other."""
    rows = Delivery.objects.filter(rule__source=source).select_related("rule__target")
    if repository:
        rows = rows.filter(repository=repository)
    targets = rows.order_by("rule__target__name").values_list("rule__target__name", flat=True).distinct()
    names = tuple(targets)
    newest = list(rows.order_by("-wanted_at", "-id")[: (limit + 1) * max(1, len(names))])
    shown = [row for row in newest if not is_referrers_tag(row.tag)]
    held = _held(shown)
    grouped: dict[tuple[str, str], list[Delivery]] = {}
    for row in shown:
        grouped.setdefault((row.repository, row.tag), []).append(row)
    found = [_row(key, group, held) for key, group in grouped.items()]
    return Regions(names, tuple(found[:limit]), len(found) > limit)


def _row(key: tuple[str, str], group: list[Delivery], held: Mapping[tuple[int, str, str], Digest]) -> RegionRow:
    cells = {row.rule.target.name: _cell(row, held) for row in group}
    return RegionRow(key[0], key[1], group[0].digest, cells)


def _cell(row: Delivery, held: Mapping[tuple[int, str, str], Digest]) -> Cell:
    found = held.get((row.rule.target_id, row.repository, row.tag))
    if row.state == Delivery.State.PRESENT and found != row.digest:
        shown = found.short if found else "nothing"
        return Cell("drifted", DRIFTED.format(target=row.rule.target, found=shown), row.verified_at, row.pk)
    return Cell(row.state, row.reason_text, row.verified_at, row.pk)


def _held(rows: list[Delivery]) -> dict[tuple[int, str, str], Digest]:
    """(registry, repository, tag) -> digest, as the catalog of the targets has it."""
    tags = Tag.objects.filter(
        repository__registry__in={row.rule.target_id for row in rows},
        repository__name__in={row.repository for row in rows},
        name__in={row.tag for row in rows},
    )
    rows_found = tags.select_related("repository", "manifest")
    return {(tag.repository.registry_id, tag.repository.name, tag.name): tag.manifest.digest for tag in rows_found}
