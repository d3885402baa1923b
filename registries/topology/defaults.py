"""Pure: what may everybody do in a zone of each kind until somebody says otherwise?"""

from registries.topology.models import ZoneKind

ZONE_DEFAULTS: dict[str, tuple[str, ...]] = {
    ZoneKind.SANDBOX: ("people pull", "people push"),
    ZoneKind.CI_TESTS: ("everyone pull", "ci push"),
    ZoneKind.CI_SNAPSHOTS: ("everyone pull", "ci push"),
    ZoneKind.PROD: (),
    ZoneKind.ARCHIVE: ("everyone pull",),
    ZoneKind.CACHE: (),
    ZoneKind.UPSTREAM: ("everyone pull",),
}
CONCERNS: dict[str, str] = {
    ZoneKind.SANDBOX: "Free access, nothing to ask for; wiped at will, and nothing ever leaves it.",
    ZoneKind.CI_TESTS: "Pre-merge checks and test runs, close to the CI workers.",
    ZoneKind.CI_SNAPSHOTS: "Latest snapshot builds: verifiable, named by rule.",
    ZoneKind.PROD: "What consumers run: read-only, filled by the promotion pipeline alone.",
    ZoneKind.ARCHIVE: "Chosen upstream images, pinned by digest.",
    ZoneKind.CACHE: "Closest distance to what it fronts.",
    ZoneKind.UPSTREAM: "Not ours: read with our credential.",
}
_TRAVEL = ("upstream", "archive", "sandbox", "ci-tests", "ci-snapshots", "prod", "cache")
POSITIONS: dict[str, int] = {kind: 10 * place for place, kind in enumerate(_TRAVEL)}
