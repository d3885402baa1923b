"""The map from rows: a bounded number of queries, no network."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from portal.web.map_model import Band, FlowKind, MapFlow, MapRegistry, MapZone, RegistryMap, State
from promotions.archive.models import ArchiveEntry
from promotions.replication.models import Delivery, ReplicationRule
from promotions.workflow.models import PromotionPath, PromotionRequest, RequestState
from registries.catalog.models import Repository
from registries.topology.models import Registry, RegistryHealth, Zone, ZoneDefault, ZoneKind

BAND_OF: dict[str, Band] = {
    ZoneKind.UPSTREAM: "origin",
    ZoneKind.ARCHIVE: "origin",
    ZoneKind.SANDBOX: "sandbox",
    ZoneKind.CI_TESTS: "ci-tests",
    ZoneKind.CI_SNAPSHOTS: "ci-snapshots",
    ZoneKind.PROD: "prod",
    ZoneKind.CACHE: "origin",
}
RECENT = timedelta(days=3)  # a failure older than this is history, not news
MOVING = (RequestState.READY, RequestState.EXECUTING)
WAITING = (RequestState.EVALUATING, RequestState.AWAITING_APPROVAL)


def load_map() -> RegistryMap:
    """Zones, registries with their figures, and every flow there is a row for."""
    registries = list(Registry.objects.select_related("zone", "location", "health", "sync_state", "primary", "fronts"))
    return RegistryMap(
        zones=tuple(_zones()),
        registries=tuple(_registries(registries)),
        flows=(*_promotions(), *_replications(), *_imports(), *_pull_throughs(registries)),
    )


def _zones() -> Iterable[MapZone]:
    defaults: dict[int, list[ZoneDefault]] = defaultdict(list)
    for default in ZoneDefault.objects.all():
        defaults[default.zone_id].append(default)
    for zone in Zone.objects.all():
        pulls, pushes = (_audience(defaults[zone.pk], action, zone.kind) for action in ("pull", "push"))
        title = zone.title or zone.get_kind_display()
        yield MapZone(zone.name, title, zone.kind, BAND_OF[zone.kind], zone.concern, pulls, pushes)


WORDS = {"everyone": "everyone signed in", "people": "every person", "ci": "CI", "robots": "every robot"}
BY_RULE = {
    ("prod", "push"): "the pipeline alone",
    ("archive", "push"): "the importer alone",
    ("upstream", "push"): "nobody",
    ("upstream", "pull"): "with our credential",
    ("prod", "pull"): "consumers by grant",
    ("ci-snapshots", "push"): "CI, by rule",
}


def _audience(defaults: list[ZoneDefault], action: str, kind: str) -> str:
    audiences = [WORDS[default.audience] for default in defaults if default.action == action]
    return ", ".join(audiences) or BY_RULE.get((kind, action), "by grant")


def _registries(registries: Iterable[Registry]) -> Iterable[MapRegistry]:
    figures = {
        row["registry"]: row
        for row in Repository.objects.filter(absent_since=None)
        .order_by()
        .values("registry")
        .annotate(repositories=Count("pk"), size=Sum("size_bytes"))
    }
    for registry in registries:
        counted = figures.get(registry.pk)
        listed_at = registry.sync_state.listed_at if hasattr(registry, "sync_state") else None
        state, word = health_of(registry)
        yield MapRegistry(
            name=registry.name,
            title=registry.title,
            url=reverse("web:registry", args=[registry.name]),
            zone=registry.zone.name,
            location=registry.location.name if registry.location else "",
            product=registry.product,
            reach=registry.reach,
            health_state=state,
            health_word=word,
            repositories=counted["repositories"] if counted else (0 if listed_at else None),
            size_bytes=counted["size"] if counted else None,
            synced_at=listed_at,
            primary=registry.primary.name if registry.primary else "",
            fronts=registry.fronts.name if registry.fronts else "",
        )


STATES: Mapping[str, State] = {"well": "well", "attention": "attention", "broken": "broken"}


def health_of(registry: Registry) -> tuple[State, str]:
    """State and words; a sync that failed since the last good one is worth a look even while the registry answers."""
    health: RegistryHealth | None = getattr(registry, "health", None)
    if health is None:
        return "unknown", "not looked at yet"
    state = STATES.get(health.state, "unknown")
    sync = getattr(registry, "sync_state", None)
    if (
        state == "well"
        and sync is not None
        and sync.failed_at
        and (not sync.listed_at or sync.failed_at > sync.listed_at)
    ):
        return "attention", sync.failure_text or "the last sync failed"
    return state, health.message or ("answers" if state == "well" else "")


def _promotions() -> Iterable[MapFlow]:
    recent = Q(state__in=[*MOVING, *WAITING]) | Q(state=RequestState.FAILED, created_at__gt=timezone.now() - RECENT)
    requests: QuerySet[PromotionRequest] = PromotionRequest.objects.filter(recent)
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in requests.order_by().values("path", "state").annotate(count=Count("pk")):
        counts[row["path"]][row["state"]] = row["count"]
    last = dict(PromotionRequest.objects.order_by().values_list("path").annotate(Max("promoted_at")))
    for path in PromotionPath.objects.filter(is_enabled=True).select_related("source", "target"):
        label, state = _promotion_label(counts[path.pk], has_moved=bool(last.get(path.pk)))
        url = f"{reverse('web:promotions')}?path={path.name}"
        yield MapFlow("promotion", path.source.name, path.target.name, label, state, url)


def _promotion_label(counts: Mapping[str, int], *, has_moved: bool) -> tuple[str, State]:
    waiting = sum(counts.get(state, 0) for state in WAITING)
    moving = sum(counts.get(state, 0) for state in MOVING)
    failed = counts.get(RequestState.FAILED, 0)
    if failed:
        return f"{failed} failed" + (f", {waiting} waiting" if waiting else ""), "broken"
    if waiting:
        return f"{waiting} waiting", "well"
    if moving:
        return f"{moving} moving", "well"
    return ("nothing waits", "well") if has_moved else ("none yet", "well")


def _replications() -> Iterable[MapFlow]:
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in Delivery.objects.order_by().values("rule", "state").annotate(count=Count("pk")):
        counts[row["rule"]][row["state"]] = row["count"]
    by_ends: dict[tuple[str, str], dict[str, int]] = {}
    for rule in ReplicationRule.objects.filter(is_enabled=True).select_related("source", "target"):
        ends = by_ends.setdefault((rule.source.name, rule.target.name), defaultdict(int))
        for state, count in counts[rule.pk].items():
            ends[state] += count
    for (source, target), states in by_ends.items():
        label, state_word = _state_label(states, present="in step", nothing="nothing yet")
        yield MapFlow("replication", source, target, label, state_word, reverse("web:registry", args=[target]))


def _imports() -> Iterable[MapFlow]:
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    rows = (
        ArchiveEntry.objects.order_by().values("upstream__name", "archive__name", "state").annotate(count=Count("pk"))
    )
    for row in rows:
        counts[row["upstream__name"], row["archive__name"]][row["state"]] = row["count"]
    for (source, target), states in counts.items():
        total = sum(states.values())
        label, state = _state_label(states, present=f"{total} kept", nothing="none yet")
        yield MapFlow("archive", source, target, label, state, reverse("web:registry", args=[target]))


def _state_label(states: Mapping[str, int], *, present: str, nothing: str) -> tuple[str, State]:
    failed = states.get("failed", 0)
    behind = sum(count for state, count in states.items() if state not in ("failed", "present"))
    if failed:
        return f"{failed} failed", "broken"
    if behind:
        return f"{behind} behind", "attention"
    return (present, "well") if states else (nothing, "well")


def _pull_throughs(registries: Iterable[Registry]) -> Iterable[MapFlow]:
    kind: FlowKind = "pull_through"
    for registry in registries:
        if registry.fronts:
            yield MapFlow(kind, registry.fronts.name, registry.name, url=reverse("web:registry", args=[registry.name]))
