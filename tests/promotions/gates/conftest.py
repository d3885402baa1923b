"""One good artifact, and variations of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from promotions.gates.base import ImageEvidence
from registries.oci.digest import Digest

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LABELS = {"org.opencontainers.image.version": "1.4.2", "org.opencontainers.image.source": "https://git.example/api"}
GOOD = ImageEvidence(
    repository="payments/api",
    digest=Digest.of(b"an index"),
    source_tag="1.4.2-rc3",
    target_tags=("1.4.2",),
    kind="index",
    platforms=("linux/amd64", "linux/arm64"),
    labels_by_platform={"linux/amd64": LABELS, "linux/arm64": LABELS},
    annotations={},
    size_bytes=4_000_000,
)
Evidence = Callable[..., ImageEvidence]


@pytest.fixture
def evidence() -> Evidence:
    def make(**changes: Any) -> ImageEvidence:
        return replace(GOOD, **changes)

    return make
