"""Whole artifacts arrive whole, nothing travels twice, and a copy can be called off."""

import threading

import pytest

from registries.oci import mediatypes as types
from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import (
    Cancelled,
)
from registries.oci.progress import Progress
from registries.oci.verify import verify_artifact
from tests.fakes import faults
from tests.fakes.content import encode, entry, put_image, put_index, put_two_platforms
from tests.fakes.scripted_registry import Answer, Fault, ScriptedRegistry
from tests.registries.oci.copied import PROD, SNAP, big_image


def test_an_index_arrives_whole_and_the_tag_last(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = put_two_platforms(source, SNAP)
    result = copy_artifact(source, SNAP, digest, target, PROD, tags=["v1", "stable"])
    assert other.tags == {PROD: {"v1": digest, "stable": digest}}
    assert {d: raw for (_, d), raw in other.manifests.items()} == {d: raw for (_, d), raw in registry.manifests.items()}
    assert (result.manifests, result.blobs_copied, result.blobs_present, result.referrers) == (4, 7, 0, 0)
    assert set(result.verified) == {d for _, d in (*other.manifests, *other.blobs)}
    assert verify_artifact(target, PROD, digest).is_complete
    puts = [seen.path for seen in other.requests("PUT")]
    last_blob = max(place for place, path in enumerate(puts) if "/blobs/" in path)
    first_manifest = min(place for place, path in enumerate(puts) if "/manifests/" in path)
    assert last_blob < first_manifest
    assert puts[-3:] == [f"/v2/{PROD}/manifests/{reference}" for reference in (digest, "v1", "stable")]


def test_each_layer_travels_once(registry: ScriptedRegistry, source: Client, target: Client) -> None:
    image = put_image(source, SNAP, layers=(b"same", b"same", b"other"))
    copy_artifact(source, SNAP, Digest(image["digest"]), target, PROD)
    assert len(registry.requests("GET", f"blobs/{Digest.of(b'same')}")) == 1


def test_the_second_run_sends_nothing(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    other.seen.clear()
    called: list[str] = []
    result = copy_artifact(
        source,
        SNAP,
        digest,
        target,
        PROD,
        tags=["v1"],
        expected_tags={"v1": None},
        before_tag=lambda: called.append("x"),
    )
    assert {seen.method for seen in other.seen} == {"GET", "HEAD"}
    assert (result.manifests, result.blobs_copied, result.bytes_copied, result.blobs_present) == (0, 0, 0, 7)
    assert not called


def test_within_one_registry_blobs_are_mounted(registry: ScriptedRegistry, source: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    registry.seen.clear()
    result = copy_artifact(source, SNAP, digest, source, PROD, tags=["v1"])
    assert (result.blobs_mounted, result.blobs_copied) == (7, 0)
    assert not registry.requests("GET", "/blobs/")


@pytest.mark.parametrize(
    "fault",
    [
        None,
        faults.status(401, "UNAUTHORIZED"),
        faults.status(404, "NAME_UNKNOWN"),
        faults.status(405),
        faults.status(400),
    ],
)
def test_a_mount_that_fails_is_only_a_saving_lost(
    other: ScriptedRegistry, source: Client, target: Client, fault: Fault | None
) -> None:
    digest = put_two_platforms(source, SNAP)
    other.mounts = False
    if fault:
        other.on("POST", "mount=", fault, times=99, reads_body=False)
    result = copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], mount_from=["base/one", "base/two"])
    assert (result.blobs_mounted, result.blobs_copied) == (0, 7)
    assert not other.uploads, "no session is left open"


def test_a_mount_from_elsewhere_in_the_target(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    for (_, name), data in list(other.blobs.items()):
        other.blobs["base", name] = data
    put_two_platforms(target, "base")
    result = copy_artifact(source, SNAP, digest, target, PROD, mount_from=["base"])
    assert (result.blobs_mounted, result.bytes_copied) == (7, 0)


def test_foreign_layers_stay_where_they_are(other: ScriptedRegistry, source: Client, target: Client) -> None:
    config = encode({"os": "windows", "architecture": "amd64"})
    source.put_blob(SNAP, Digest.of(config), config)
    foreign = entry(
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"far", urls=["https://elsewhere.example/x"]
    )
    raw = encode({"schemaVersion": 2, "config": entry(types.DOCKER_CONFIG, config), "layers": [foreign],
                  "mediaType": types.DOCKER_IMAGE})  # fmt: skip
    source.put_manifest(SNAP, "v1", raw, types.DOCKER_IMAGE)
    result = copy_artifact(source, SNAP, Digest.of(raw), target, PROD, tags=["v1"])
    assert result.blobs_copied == 1
    assert other.manifests[PROD, Digest.of(raw)] == (raw, types.DOCKER_IMAGE)


def test_an_index_in_an_index_and_an_empty_blob(other: ScriptedRegistry, source: Client, target: Client) -> None:
    image = put_image(source, SNAP, layers=(b"",))
    inner = put_index(source, SNAP, [image])
    raw = source.get_manifest(SNAP, inner).raw
    outer = put_index(source, SNAP, [entry(types.OCI_INDEX, raw), image])
    copy_artifact(source, SNAP, outer, target, PROD, tags=["v1"])
    assert verify_artifact(target, PROD, outer).is_complete
    assert other.blobs[PROD, Digest.of(b"")] == b""


def test_a_cancelled_copy_stops_in_the_middle_of_a_blob(
    other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = big_image(source)
    gate = threading.Event()

    def stall(answer: Answer) -> Answer:
        gate.wait(20)
        return answer

    def cancel() -> bool:
        sent = any("uploads" in seen.path for seen in other.seen)
        if sent:
            gate.set()
        return sent

    other.on("POST", "uploads", stall, times=2)
    caller = threading.current_thread()
    threads: set[threading.Thread] = set()

    def watch(progress: Progress) -> None:
        threads.add(threading.current_thread())

    with pytest.raises(Cancelled):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], is_cancelled=cancel, on_progress=watch)
    assert other.tags == {}
    assert threads == {caller}, "callbacks may use the caller's database connection"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("registry")]


def test_what_is_missing_or_damaged_is_told(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    copy_artifact(source, SNAP, digest, target, PROD)
    assert verify_artifact(target, PROD, digest).checked == 11
    del other.blobs[PROD, str(Digest.of(b"shared"))]
    other.blobs[PROD, str(Digest.of(b"in-toto"))] = b"short"
    found = verify_artifact(target, PROD, digest)
    assert (found.missing, found.damaged) == ((Digest.of(b"shared"),), (Digest.of(b"in-toto"),))
    child = target.get_manifest(PROD, digest).children[0].digest
    other.manifests[PROD, child] = b"{}", types.OCI_IMAGE
    assert child in verify_artifact(target, PROD, digest).damaged
    nothing = verify_artifact(target, "prod/nothing", digest)
    assert (nothing.missing, nothing.is_complete) == ((digest,), False)
