"""Copies that meet trouble at the source, at the target, or on the way, and finish all the same, or say why not."""

import contextlib
import re
import threading

import pytest

from registries.oci import mediatypes as types
from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import (
    Cancelled,
    Denied,
    DigestMismatch,
    Dropped,
    Incomplete,
    NotFound,
    RegistryError,
    ServerError,
    TagMoved,
)
from registries.oci.fallback import add_to_fallback
from registries.oci.progress import Progress
from registries.oci.referrers import as_referrer
from registries.oci.verify import verify_artifact
from tests.fakes import faults
from tests.fakes.content import encode, entry, put_image, put_index, put_signature, put_two_platforms
from tests.fakes.scripted_registry import Answer, Fault, ScriptedRegistry
from tests.registries.oci.conftest import Opener

SNAP, PROD = "team/app", "prod/app"
MIB = 1024 * 1024
BIG = bytes(range(256)) * (5 * MIB // 256)


@pytest.fixture
def source(registry: ScriptedRegistry, connect: Opener) -> Client:
    return connect(registry.url, name="snapshots")


@pytest.fixture
def target(other: ScriptedRegistry, connect: Opener) -> Client:
    return connect(other.url, name="prod")


def _big_image(client: Client) -> Digest:
    return Digest(put_image(client, SNAP, layers=(BIG,), tag="v1")["digest"])


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


def test_when_the_source_breaks_reading_goes_on_where_it_stopped(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
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
    digest = _big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    registry.on("GET", f"blobs/{Digest.of(BIG)}", fault, times=2)
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG


def test_a_source_that_just_ends_is_not_at_its_end(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB, is_announced=False))
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG
    assert len(other.requests("PUT", "blobs")) == 2


def test_a_source_without_ranges_is_read_again_from_the_start(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
    registry.serves_ranges = False
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    copy_artifact(source, SNAP, digest, target, PROD)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG


def test_a_source_that_breaks_for_good_is_named_with_how_far_it_came(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
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
    digest = _big_image(source)
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.cut(MIB))
    registry.on("GET", f"blobs/{Digest.of(BIG)}", faults.status(416), times=99)
    with pytest.raises(RegistryError, match=r"snapshots .* it answered with status 416"):
        copy_artifact(source, SNAP, digest, target, PROD)


@pytest.mark.parametrize("fault", [faults.silence(), faults.status(500), faults.status(404, "BLOB_UPLOAD_UNKNOWN")])
def test_when_the_target_breaks_the_blob_starts_anew(
    other: ScriptedRegistry, source: Client, target: Client, fault: Fault
) -> None:
    digest = _big_image(source)
    other.on("PUT", re.escape(str(Digest.of(BIG)).replace(":", "%3A")), fault, times=2, reads_body=False)
    steps: list[Progress] = []
    result = copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], on_progress=steps.append)
    assert other.blobs[PROD, Digest.of(BIG)] == BIG
    assert result.blobs_copied == 2
    assert steps[-1].bytes_done == steps[-1].bytes_total == result.bytes_copied, "what was lost is taken back"


def test_an_answer_that_is_lost_is_not_a_blob_that_is_lost(
    other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
    other.on("PUT", re.escape(str(Digest.of(BIG)).replace(":", "%3A")), faults.silence())
    copy_artifact(source, SNAP, digest, target, PROD)
    assert len(other.requests("PUT", "blobs")) == 2


def test_a_target_that_breaks_for_good_keeps_its_tag(other: ScriptedRegistry, source: Client, target: Client) -> None:
    before = put_image(target, PROD, tag="v1")["digest"]
    digest = _big_image(source)
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
    digest = _big_image(source)
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


@pytest.mark.parametrize("source_has_api", [True, False])
@pytest.mark.parametrize("target_has_api", [True, False])
def test_referrers_come_along(
    registry: ScriptedRegistry,
    other: ScriptedRegistry,
    source: Client,
    target: Client,
    source_has_api: bool,
    target_has_api: bool,
) -> None:
    registry.has_referrers_api, other.has_referrers_api = source_has_api, target_has_api
    digest = put_two_platforms(source, SNAP)
    size = source.get_manifest(SNAP, digest).size
    signature = put_signature(source, SNAP, digest, size)
    of_signature = put_signature(source, SNAP, signature, 1, "countersigned")
    for subject, referrer in ((digest, signature), (signature, of_signature)):
        if not source_has_api:
            add_to_fallback(source, SNAP, subject, [as_referrer(source.get_manifest(SNAP, referrer))])
    result = copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert result.referrers == 2
    assert [d.digest for d in target.referrers(PROD, digest)] == [signature]
    assert [d.digest for d in target.referrers(PROD, signature)] == [of_signature]
    assert (digest.fallback_tag in other.tags[PROD]) is not target_has_api
    assert copy_artifact(source, SNAP, digest, target, PROD, referrers=False).referrers == 0


def test_the_list_of_referrers_is_added_to(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    registry.has_referrers_api = other.has_referrers_api = False
    digest = put_two_platforms(source, SNAP)
    copy_artifact(source, SNAP, digest, target, PROD)
    local = put_signature(target, PROD, digest, 1, "made at the target")
    add_to_fallback(target, PROD, digest, [as_referrer(target.get_manifest(PROD, local))])
    signature = put_signature(source, SNAP, digest, 1)
    add_to_fallback(source, SNAP, digest, [as_referrer(source.get_manifest(SNAP, signature))])
    copy_artifact(source, SNAP, digest, target, PROD)
    assert {d.digest for d in target.referrers(PROD, digest)} == {local, signature}


def test_cosign_tags_come_along(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    tag = digest.fallback_tag + ".sig"
    signature = put_image(source, SNAP, layers=(b"signature",), tag=tag)["digest"]
    put_image(source, SNAP, layers=(b"of another",), tag=Digest.of(b"another").fallback_tag + ".sig")
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert other.tags[PROD] == {"v1": digest, tag: signature}
    other.seen.clear()
    copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])
    assert not other.requests("PUT")


def test_no_tag_of_any_kind_is_set_before_it_is_written_down(
    registry: ScriptedRegistry, other: ScriptedRegistry, source: Client, target: Client
) -> None:
    registry.has_referrers_api = other.has_referrers_api = False
    digest = put_two_platforms(source, SNAP)
    put_image(source, SNAP, layers=(b"signature",), tag=digest.fallback_tag + ".sig")
    signature = put_signature(source, SNAP, digest, 1)
    add_to_fallback(source, SNAP, digest, [as_referrer(source.get_manifest(SNAP, signature))])
    seen: list[dict[str, str]] = []

    def copy(expected: Digest | None) -> None:
        copy_artifact(
            source,
            SNAP,
            digest,
            target,
            PROD,
            tags=["v1"],
            expected_tags={"v1": expected},
            before_tag=lambda: seen.append(dict(other.tags.get(PROD, {}))),
        )

    with pytest.raises(TagMoved):
        copy(Digest.of(b"elsewhere"))
    assert (other.tags, seen) == ({}, [])
    copy(None)
    assert seen == [{}]
    assert set(other.tags[PROD]) == {"v1", digest.fallback_tag, digest.fallback_tag + ".sig"}


def test_a_referrer_that_is_only_listed_is_passed_over(
    registry: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = put_two_platforms(source, SNAP)
    signature = put_signature(source, SNAP, digest, 1)
    add_to_fallback(source, SNAP, digest, [as_referrer(source.get_manifest(SNAP, signature))])
    del registry.manifests[SNAP, signature]
    assert copy_artifact(source, SNAP, digest, target, PROD).referrers == 0


def test_a_tag_that_somebody_moved_is_not_overwritten(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)
    stranger = put_image(target, PROD, tag="v1")["digest"]
    called: list[str] = []

    def copy(expected: dict[str, Digest | None]) -> None:
        copy_artifact(
            source,
            SNAP,
            digest,
            target,
            PROD,
            tags=["v2", "v1"],
            expected_tags=expected,
            before_tag=lambda: called.append("x"),
        )

    for expected in (None, Digest.of(b"what was there")):
        with pytest.raises(
            TagMoved, match=f"v1 points to {stranger}, and .* was expected; somebody moved it, and no tag was set"
        ):
            copy({"v1": expected})
    assert other.tags[PROD] == {"v1": stranger}
    assert not called
    copy({"v1": Digest(stranger), "v2": None})
    assert other.tags[PROD] == {"v1": digest, "v2": digest}
    assert called == ["x"]


def test_what_must_be_written_down_first_is(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)

    def refuse() -> None:
        assert (PROD, digest) in other.manifests
        raise ValueError("the database is gone")

    with pytest.raises(ValueError, match="the database is gone"):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"], before_tag=refuse)
    assert other.tags == {}


def test_a_tag_that_does_not_stay_is_reported(other: ScriptedRegistry, source: Client, target: Client) -> None:
    digest = put_two_platforms(source, SNAP)

    def steal(answer: Answer) -> Answer:
        other.tags[PROD]["v1"] = next(d for r, d in other.manifests if d != digest)
        return answer

    other.on("PUT", "manifests/v1", steal)
    with pytest.raises(Incomplete, match=r"v1 was set to sha256:.* and answers sha256:"):
        copy_artifact(source, SNAP, digest, target, PROD, tags=["v1"])


def test_a_cancelled_copy_stops_in_the_middle_of_a_blob(
    other: ScriptedRegistry, source: Client, target: Client
) -> None:
    digest = _big_image(source)
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
