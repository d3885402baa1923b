"""Digests, references and platforms: what is one and what is not."""

import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.oci.digest import Digest, InvalidDigest
from registries.oci.platform import InvalidPlatform, Platform
from registries.oci.reference import InvalidReference, is_repository, is_tag, parse_reference

# A busy machine is no fault of the parser.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

HELLO = Digest("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")


def test_a_digest_knows_its_parts() -> None:
    assert Digest.of(b"hello") == HELLO
    assert (HELLO.algorithm, HELLO.short) == ("sha256", "2cf24dba5fb0")
    assert HELLO.fallback_tag == "sha256-" + HELLO.encoded
    assert HELLO.matches(b"hello")
    assert not HELLO.matches(b"hello ")
    assert pickle.loads(pickle.dumps(HELLO)) == HELLO  # noqa: S301  our own bytes


def test_a_long_digest_has_a_fallback_tag_that_is_a_tag() -> None:
    digest = Digest.of(b"hello", "sha512")
    assert len(digest.encoded) == 128
    assert is_tag(digest.fallback_tag)
    assert digest.fallback_tag == "sha512-" + digest.encoded[:64]


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", "sha256:abc", HELLO.upper(), HELLO + "\n", " " + HELLO, "md5:" + "0" * 32, "sha256:" + "g" * 64,
     "sha512:" + "0" * 64, "sha256:" + "٣" * 64, HELLO.encoded],
)  # fmt: skip
def test_anything_else_is_no_digest(text: str) -> None:
    with pytest.raises(InvalidDigest, match="is not a digest"):
        Digest.parse(text)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag"),
    [
        ("prod.example:5000/team/app:v1", "prod.example:5000", "team/app", "v1"),
        ("localhost/app", "localhost", "app", None),
        ("127.0.0.1:5000/app", "127.0.0.1:5000", "app", None),
        ("[::1]:5000/app:x", "[::1]:5000", "app", "x"),
        ("busybox", "docker.io", "library/busybox", None),
        ("busybox:1.36", "docker.io", "library/busybox", "1.36"),
        ("grafana/grafana:latest", "docker.io", "grafana/grafana", "latest"),
    ],
)
def test_references_are_split_as_clients_do(text: str, registry: str, repository: str, tag: str | None) -> None:
    reference = parse_reference(text)
    assert (reference.registry, reference.repository, reference.tag) == (registry, repository, tag)
    assert reference.digest is None


def test_a_reference_keeps_tag_and_digest() -> None:
    text = f"prod.example/team/app:v1@{HELLO}"
    reference = parse_reference(text)
    assert (reference.tag, reference.digest) == ("v1", HELLO)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    ["", "/", ":", "@", "prod.example/", "prod.example/Team", "prod.example/a//b", "prod.example/a:", "a@sha256:1",
     "prod.example/a:-x", "prod.example/../x", "prod.example/a b", "prod.example/é", "exa mple.org/a", "a/b\n"],
)  # fmt: skip
def test_bad_references_say_what_is_wrong_with_them(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert str(caught.value).startswith("“")


@pytest.mark.parametrize("name", ["a", "a/b/c", "a.b", "a_b", "a__b", "a---b", "0/1", "x" * 255])
def test_repository_names_by_the_grammar(name: str) -> None:
    assert is_repository(name)


@pytest.mark.parametrize(
    "name",
    ["", "A", "a/", "/a", "a//b", "a..b", "a___b", "-a", "a-", "a.", "a/_b", "x" * 256, "a\n", "team/app:v1", "٣", "é"],
)
def test_names_outside_the_grammar(name: str) -> None:
    assert not is_repository(name)


def test_tags_by_the_grammar() -> None:
    assert all(is_tag(name) for name in ("v1", "_x", "A.b-c", "x" * 128))
    assert not any(is_tag(name) for name in ("", ".x", "-x", "x" * 129, "a b", "v1\n", "é"))


@patient
@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert is_repository(reference.repository)


def test_platforms_are_written_as_people_write_them() -> None:
    assert str(Platform.parse("linux/arm/v7")) == "linux/arm/v7"
    assert Platform.parse("linux/amd64") == Platform("linux", "amd64")
    for text in ("linux", "linux/", "a/b/c/d", "linux/amd64\n", "linux//v7"):
        with pytest.raises(InvalidPlatform):
            Platform.parse(text)
