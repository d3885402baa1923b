"""Where may a registry be? Any host the portal can reach, by any name; an address and nothing more."""

import pytest

from registries.topology.models import Registry, Zone, ZoneKind, topology_findings


def findings(base_url: str) -> dict[str, str]:
    zone = Zone(pk=1, name="sandbox", kind=ZoneKind.SANDBOX)
    return topology_findings(Registry(name="sandbox", zone=zone, base_url=base_url, host="h", service="s"))


@pytest.mark.parametrize(
    "url", ["https://registry.example", "http://registry:5000", "http://127.0.0.1:5000", "https://[::1]:5000"]
)
def test_an_address_is_taken(url: str) -> None:
    assert "base_url" not in findings(url)


@pytest.mark.parametrize(
    "url",
    [
        "registry.example",
        "ftp://registry",
        "https://",
        "https://a/v2",
        "https://a?b",
        "https://u:p@a",
        "http://a b",
        "http://a:99999",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert "base_url" in findings(url)
