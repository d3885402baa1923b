"""A real hub and a real archive that takes images from our importer alone."""

from contextlib import closing

import pytest

from promotions.archive.entries import add_entry
from promotions.archive.models import ArchiveEntry
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.topology.models import Reach
from tests.fakes.content import put_two_platforms
from tests.promotions.archive.shelves import bring_in
from tests.promotions.real_ones import NAME, answered_by, started
from tests.promotions.workflow.world import SETUP
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_registry, make_team


@pytest.mark.django_db(transaction=True)
def test_an_upstream_image_is_answered_by_the_archive(start_registry: RegistryStarter) -> None:
    port = start_registry.take_port()
    hub = make_registry("hub", "upstream", url=f"http://127.0.0.1:{port}", reach=Reach.OBSERVED)
    start_registry("hub", port=port)
    archive, _ = started(start_registry, "archive", "archive")
    with closing(Client(hub.base_url, Anonymous(), name="publisher")) as publisher:
        digest = put_two_platforms(publisher, NAME, "3.20")
    entry = ArchiveEntry(
        upstream=hub,
        upstream_repository=NAME,
        upstream_tag="3.20",
        archive=archive,
        repository=NAME,
        tag="3.20",
        owner=make_team("platform"),
        reason="Base of all services.",
    )
    bring_in(add_entry(SETUP, entry))
    entry.refresh_from_db()
    assert (entry.state, entry.reason_text) == (ArchiveEntry.State.PRESENT, "")
    assert answered_by(archive, "3.20") == entry.digest == digest
