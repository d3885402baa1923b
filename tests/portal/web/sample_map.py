"""The nine registries of a company, as values."""

from datetime import UTC, datetime

from portal.web.map_model import MapFlow, MapRegistry, MapZone, RegistryMap

SYNCED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

ZONES = (
    MapZone("upstream", "Upstream", "upstream", "origin", "not ours", "with our credential", "nobody"),
    MapZone(
        "archive", "Archive", "archive", "origin", "chosen images, pinned", "everyone signed in", "the importer alone"
    ),
    MapZone(
        "sandbox", "Sandbox", "sandbox", "sandbox", "free for everyone; wiped at will", "every person", "every person"
    ),
    MapZone("ci-tests", "CI tests", "ci-tests", "ci-tests", "pre-merge checks", "everyone signed in", "CI"),
    MapZone(
        "ci-snapshots",
        "CI snapshots",
        "ci-snapshots",
        "ci-snapshots",
        "snapshot builds",
        "everyone signed in",
        "CI, by rule",
    ),
    MapZone(
        "prod", "Prod", "prod", "prod", "strict policy on what is offered", "consumers by grant", "the pipeline alone"
    ),
    MapZone("caches", "Caches", "cache", "origin"),
)


def registry(name: str, zone: str, location: str = "hq", primary: str = "", fronts: str = "") -> MapRegistry:
    """One that is well, enforced and full."""
    return MapRegistry(
        name, name, f"/registries/{name}/", zone, location, "distribution", "enforced", "well", "answers in 8 ms",
        42, 3 << 30, SYNCED, primary, fronts,
    )  # fmt: skip


REGISTRIES = (
    registry("sandbox", "sandbox"),
    registry("ci-tests", "ci-tests"),
    registry("ci-snapshots", "ci-snapshots"),
    registry("prod", "prod"),
    registry("prod-eu", "prod", "eu", primary="prod"),
    registry("prod-us", "prod", "us", primary="prod"),
    registry("archive", "archive"),
    registry("hub", "upstream", ""),
    registry("cache-eu", "caches", "eu", fronts="hub"),
)

FLOWS = (
    MapFlow("promotion", "ci-snapshots", "prod", "2 waiting", "well", "/promotions/"),
    MapFlow("replication", "prod", "prod-eu", "in step"),
    MapFlow("replication", "prod", "prod-us", "3 behind", "attention"),
    MapFlow("archive", "hub", "archive", "5 kept"),
    MapFlow("pull_through", "hub", "cache-eu"),
)

NINE = RegistryMap(ZONES, REGISTRIES, FLOWS)
