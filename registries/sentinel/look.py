"""Hold the tags of CI zones against their naming rules. Reads where the revision of a repository, or the rules, have changed since the
last look: what is committed late is seen late, and never missed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from registries.access.facts import Naming
from registries.access.naming_rules.naming import mark_of, tag_fault, tag_rules
from registries.catalog.models import Repository, Tag, TagEvent
from registries.catalog.store import batched
from registries.oci.digest import Digest
from registries.sentinel.models import Incident, RepositoryLook
from registries.topology.models import Zone, ZoneKind

REPOSITORIES_AT_ONCE: Final = 500
BATCHES_AT_ONCE: Final = 20
KIND: Final = Incident.Kind.MISNAMED_TAG
LIVE: Final = (Incident.State.OPEN, Incident.State.ACCEPTED)
KIND_LIVE: Final = Q(kind=KIND, state__in=LIVE)


def look_at_all(now: datetime) -> int:
    """Every CI zone; how many repositories had changed."""
    return sum(
        look_at_zone(zone, now) for zone in Zone.objects.filter(kind__in=(ZoneKind.CI_TESTS, ZoneKind.CI_SNAPSHOTS))
    )


def look_at_zone(zone: Zone, now: datetime) -> int:
    """Repositories that have changed, or all when the rules have. A zone without rules is looked at once more, to end what was found."""
    rules, looked = tag_rules(zone), 0
    for _ in range(BATCHES_AT_ONCE):
        behind = list(repositories_behind(zone, mark_of(rules))[:REPOSITORIES_AT_ONCE])
        loud = _loud(behind, rules)
        _note([row for row in behind if row.pk not in loud], rules)
        for repository in behind:
            if repository.pk in loud:
                look_at_repository(repository, rules, now)
        looked += len(behind)
        if len(behind) < REPOSITORIES_AT_ONCE:
            break
    return looked


def _loud(repositories: Sequence[Repository], rules: Sequence[Naming]) -> set[int]:
    """Those with a tag that does not fit, or with an incident. Most have neither, and are done with in a few statements."""
    names = {row.pk: row.name for row in repositories}
    found = {
        key
        for some in batched(names)
        for key, tag in Tag.objects.filter(repository__in=some).values_list("repository", "name").iterator()
        if tag_fault(rules, names[key], tag)[0]
    }
    for some in batched(repositories):
        rows = Incident.objects.filter(KIND_LIVE, repository__in={row.name for row in some})
        troubled = set(rows.values_list("registry", "repository"))
        found |= {row.pk for row in some if (row.registry_id, row.name) in troubled}
    return found


def _note(repositories: Sequence[Repository], rules: Sequence[Naming]) -> None:
    """Looked at as they were when they were listed: their tags were read after that."""
    rows = [RepositoryLook(repository=row, revision=row.revision, rules=mark_of(rules)) for row in repositories]
    RepositoryLook.objects.bulk_create(
        rows, batch_size=250, update_conflicts=True, unique_fields=["repository"], update_fields=["revision", "rules"]
    )


def repositories_behind(zone: Zone, mark: str) -> QuerySet[Repository]:
    """Those whose last look was at another revision or by other rules."""
    rows = Repository.objects.filter(registry__zone=zone).select_related("registry").order_by("pk")
    if not mark:
        return rows.exclude(sentinel_look=None).exclude(sentinel_look__rules="")
    is_same = Q(sentinel_look__revision=F("revision"), sentinel_look__rules=mark)
    return rows.filter(Q(sentinel_look=None) | ~is_same)


def look_at_repository(repository: Repository, rules: Sequence[Naming], now: datetime) -> None:
    """Open what is wrong now, resolve what is so no more. The revision read first is what gets noted: a change in between is seen the
    next time. Twice is once."""
    with transaction.atomic():
        revision = Repository.objects.values_list("revision", flat=True).get(pk=repository.pk)
        tags = {row.name: row.manifest.digest for row in repository.tags.select_related("manifest")}
        faults = {tag: fault for tag in tags if (fault := tag_fault(rules, repository.name, tag))[0]}
        live = _live(repository)
        _open(repository, {tag: tags[tag] for tag in _newly_made(repository, set(faults) - set(live))}, faults, now)
        for incident in live.values():
            _follow(incident, tags, faults, now)
        RepositoryLook.objects.update_or_create(
            repository=repository, defaults={"revision": revision, "rules": mark_of(rules)}
        )


def _live(repository: Repository) -> dict[str, Incident]:
    rows = Incident.objects.filter(KIND_LIVE, registry=repository.registry_id, repository=repository.name)
    return {row.tag: row for row in rows}


def _newly_made(repository: Repository, tags: set[str]) -> list[str]:
    """Those that somebody has pushed since the registry joined. What was there is a baseline, and what our own jobs carried here has
    the name that it was given elsewhere."""
    last: dict[str, str] = {}
    for some in batched(sorted(tags)):
        rows = TagEvent.objects.filter(repository=repository, tag__in=some).exclude(kind=TagEvent.Kind.REMOVED)
        last |= dict(rows.order_by("pk").values_list("tag", "source"))
    return [tag for tag, source in last.items() if source == TagEvent.Source.SYNC]


def _open(
    repository: Repository, tags: Mapping[str, Digest], faults: Mapping[str, tuple[str, str]], now: datetime
) -> None:
    fresh = [
        Incident(
            kind=KIND, registry=repository.registry, repository=repository.name, tag=tag, digest=digest,
            detail=faults[tag][0][:1000], rule=faults[tag][1][:400], found_at=now,
        )
        for tag, digest in tags.items()
    ]  # fmt: skip
    # Another worker may be at it: whoever comes second finds them there.
    Incident.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)


def _follow(
    incident: Incident, tags: Mapping[str, Digest], faults: Mapping[str, tuple[str, str]], now: datetime
) -> None:
    """An incident that was there before: still so, on another digest perhaps, or past."""
    mine = Incident.objects.filter(pk=incident.pk, state__in=LIVE)
    if incident.tag in faults:
        detail, rule = faults[incident.tag]
        said = {"digest": tags[incident.tag], "detail": detail[:1000], "rule": rule[:400]}
        if any(getattr(incident, name) != value for name, value in said.items()):
            mine.update(**said)
        return
    why = "The rules let it pass now." if incident.tag in tags else "The tag is gone."
    mine.update(state=Incident.State.RESOLVED, reason=why, resolved_at=now)
