"""Tags come last, are set only where nobody else has moved them, and what refers to the artifact comes along."""

import pytest

from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import (
    Incomplete,
    TagMoved,
)
from registries.oci.fallback import add_to_fallback
from registries.oci.referrers import as_referrer
from tests.fakes.content import put_image, put_signature, put_two_platforms
from tests.fakes.scripted_registry import Answer, ScriptedRegistry
from tests.registries.oci.copied import PROD, SNAP


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
