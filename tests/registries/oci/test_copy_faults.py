"""Copies that meet trouble at the source, at the target, or on the way, and finish all the same, or say why not."""

import contextlib
import re

import pytest

from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import (
    Denied,
    DigestMismatch,
    Dropped,
    Incomplete,
    NotFound,
    RegistryError,
    ServerError,
)
from registries.oci.progress import Progress
from registries.oci.verify import verify_artifact
from tests.fakes import faults
from tests.fakes.content import put_image, put_two_platforms
from tests.fakes.scripted_registry import Answer, Fault, ScriptedRegistry
from tests.registries.oci.conftest import Opener
from tests.registries.oci.copied import BIG, MIB, PROD, SNAP, big_image


def test_when_the_source_breaks_reading_goes_on_where_it_stopped(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    for at in (2 * MIB, MIB):
        registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(at))
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    ranges = [seen.headers.get("Range") for seen in registry.requests("GET", f"blobs/{Digest.of(BIG)}")]
    assert ranges == [None, f"bytes={2 * MIB}-", f"bytes={3 * MIB}-"]
    assert len(other.requests("PUT", "blobs")) == 2, "the open upload noticed nothing"
    assert other.blobs[PROD, Digest.of(BIG)] == BIG


@pytest.mark.parametrize("fault", [faults.status(500), faults.status(429), faults.silence()])
def test_a_source_that_needs_several_tries_to_resume(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client, fault: Fault
) -> None:
    digest = big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    registry.on("GET", f"blobs/{Digest.of(BIG)}", fault, times=2)
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG


def test_a_source_that_just_ends_is_not_at_its_end(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB, is_announced=False))
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG
    assert len(other.requests("PUT", "blobs")) == 2


def test_a_source_without_ranges_is_read_again_from_the_start(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    registry.serves_ranges = False
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG


def test_a_source_that_breaks_for_good_is_named_with_how_far_it_came(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(1_300_000))
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(0), times=99)
    with pytest.raises(Dropped) as caught:
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert str(caught.value) == (
        f"snapshots at {registry.url}: the connection was cut after 1.2 MiB of 5.0 MiB of blob {Digest.of(BIG)}; "
        "the copy can be run again"
    )
    assert other.tags == {}
    assert not other.manifests


def test_a_range_that_cannot_be_had_ends_the_copy_with_that_reason(
    registry: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.status(416), times=99)
    with pytest.raises(RegistryError, match=r"snapshots .* it answered with status 416"):
        copy_artifact(source, SNAP, digest, target, PROD)


@pytest.mark.parametrize("fault", [faults.silence(), faults.status(500), faults.status(404, "BLOB_UPLOAD_UNKNOWN")])
def test_when_the_target_breaks_the_blob_starts_anew(
    other: ScriptedRegistry, source: Client, target: Client, fault: Fault
) -> None:
    digest = big_image(source)
    other.on("PUT", re.escape(str(Digest.of(BIG)).replace(":", "%3A")), fault, times=2, reads_body=False)
    steps: list[Progress] = []
    result = copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], on_progress=steps.append)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG
    assert result.blobs_copied == 2
    assert steps[-1].bytes_done == steps[-1].bytes_total == result.bytes_copied, "what was lost is taken back"


def test_an_answer_that_is_lost_is_not_a_blob_that_is_lost(
    other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    other.on("PUT", re.escape(str(Digest.of(BIG)).replace(":", "%3A")), faults.silence())
    copy_artifact(source, SNAP, digest, target, PROD)
    assert len(other.requests("PUT", "blobs")) == 2


def test_a_target_that_breaks_for_good_keeps_its_tag(other: ScriptedRegistry, source: Client, target: Client) -> None:
    before = put_image(target, PROD, tag="v1")["digest"]
    digest = big_image(source)
    other.on("PUT", "blobs", faults.silence(), times=99, reads_body=False)
    with pytest.raises(
        Dropped, match=r"prod at .*: the connection was cut after .* of blob sha256:.*; the copy can be run again"
    ):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags[PROD]["v1"] == before
    other._rules.clear()
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags[PROD]["v1"] == digest


def test_a_source_that_lies_about_a_blob_is_named(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    registry.blobs[SNAP, Digest.of(BIG)] = bytes(len(BIG))
    with pytest.raises(
        DigestMismatch, match=r"^snapshots at .*its content does not match its digest; prod at .* refused it twice"
    ):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags == {}


def test_a_target_that_makes_something_else_of_a_manifest_is_named(
    other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = put_two_platforms(source, SNAP)
    other.on("PUT", "manifests", faults.header("Docker-Content-Digest", Digest.of(b"converted")), times=99)
    with pytest.raises(DigestMismatch, match=r"^prod at .* it was stored as"):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags == {}


def test_garbage_collected_under_our_hands(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)

    def collect(answer: Answer) -> Answer:
        other.blobs.pop((PROD, str(Digest.of(b"shared"))))
        other.manifests.popitem()
        return faults.status(400, "MANIFEST_BLOB_UNKNOWN")(answer)

    other.on("PUT", "manifests", collect)
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], workers=1)
    assert verify_artifact(target, PROD, digest).is_complete


def test_nothing_is_tagged_that_cannot_be_read_back(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)

    def forget(answer: Answer) -> Answer:
        del other.blobs[PROD, str(Digest.of(b"in-toto"))]
        return answer

    other.on("PUT", f"manifests/{digest}", forget)
    with pytest.raises(Incomplete, match="could not be read back; no tag was set"):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags == {}


def test_a_child_that_the_source_lost_is_an_error(registry: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    child = next(d for r, d in registry.manifests if d != digest)
    del registry.manifests[SNAP, child]
    with pytest.raises(NotFound, match=child):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])


def test_a_right_that_is_missing_is_said_once(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    for method in ("GET", "HEAD", "POST", "PUT"):
        other.on(method, "/v2/", faults.status(403, "DENIED" if method != "HEAD" else ""), times=999)
    with pytest.raises(Denied, match=r"prod at .*: upload of blob .* to prod/app: access is refused"):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert not other.requests("PUT")


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_dying_at_any_request_leaves_no_half_state(
    other: ScriptedRegistry, source: Client, connect: Opener, at: int
) -> None:
    """The target fails for good from request number `at` on; the next run finishes the work."""
    digest = put_two_platforms(source, SNAP)
    frail = connect(other.url, retries=0)
    other.fails_after = at
    with contextlib.suppress(ServerError):
        copy_artifact(source, SNAP, digest, frail, PROD, tags=["v1"], workers=1)
    other.fails_after = None
    if "v1" in other.tags.get(PROD, {}):
        assert verify_artifact(frail, PROD, digest).is_complete
    copy_artifact(source, SNAP, digest, frail, PROD, tags=["v1"])
    assert verify_artifact(frail, PROD, digest).is_complete
    assert other.tags[PROD] == {"v1": digest}
