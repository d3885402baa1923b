"""Which moves may exist at all? Asked when a path is set up, and again whenever it is used."""

from registries.topology.models import Reach, Registry, ZoneKind

NO_SOURCE = {
    ZoneKind.SANDBOX: "Nothing ever leaves a sandbox; have CI build the image into a snapshot registry instead.",
    ZoneKind.CACHE: "A cache only holds what others own; promote from the registry it fronts.",
    ZoneKind.UPSTREAM: "Images from outside come in through the archive, not by promotion.",
}
NO_TARGET = {
    ZoneKind.SANDBOX: "Nobody promotes into a sandbox; everybody may push there.",
    ZoneKind.CACHE: "Nobody pushes to a cache; it pulls by itself.",
    ZoneKind.UPSTREAM: "An upstream is not ours to write to.",
}


def path_findings(source: Registry, target: Registry) -> dict[str, str]:
    """Field -> why a path between these two cannot be; empty when it can."""
    found: dict[str, str] = {}
    if source.zone.kind in NO_SOURCE:
        found["source"] = NO_SOURCE[ZoneKind(source.zone.kind)]
    if target.zone.kind in NO_TARGET:
        found["target"] = NO_TARGET[ZoneKind(target.zone.kind)]
    elif target.primary_id is not None:
        found["target"] = f"{target} follows {target.primary}; promote to that one, and replication does the rest."
    elif source.pk == target.pk:
        found["target"] = "A path leads from one registry to another."
    return found


def is_pipeline_only(target: Registry) -> bool:
    """Whether we can truly say that nothing but the pipeline writes there."""
    return target.zone.kind == ZoneKind.PROD and target.reach == Reach.ENFORCED


def needs_people(target: Registry) -> bool:
    """Into prod nothing goes that nobody has answered for, however its rules are set up."""
    return target.zone.kind == ZoneKind.PROD
