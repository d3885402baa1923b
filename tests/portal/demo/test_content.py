"""The image we push is a real one: skopeo reads it, a registry takes it, and building it again changes nothing."""

import json
from pathlib import Path

import pytest

from portal.demo.content import Files, Layout, Link, build_layout
from portal.demo.programs import run
from portal.demo.skopeo import Skopeo, pulled_digest
from tests.real.registries import RegistryStarter

LABELS = {"org.opencontainers.image.version": "1.0", "org.opencontainers.image.created": "2026-01-02T03:04:05Z"}
FILES: dict[str, Files] = {
    "linux/amd64": {"bin/tool": b"for amd64", "bin/sh": Link("tool")},
    "linux/arm64": {"bin/tool": b"for arm64", "bin/sh": Link("tool")},
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return build_layout(tmp_path / "layout", FILES, LABELS, "1.0")


def test_building_again_gives_the_same_digests(layout: Layout, tmp_path: Path) -> None:
    again = build_layout(tmp_path / "again", FILES, LABELS, "1.0")
    assert (again.digest, again.platform_digests) == (layout.digest, layout.platform_digests)


def test_other_content_or_labels_give_other_digests(layout: Layout, tmp_path: Path) -> None:
    other = build_layout(tmp_path / "other", FILES, {**LABELS, "org.opencontainers.image.version": "1.1"}, "1.0")
    assert not set(other.platform_digests.values()) & set(layout.platform_digests.values())


def test_a_second_tag_joins_the_same_folder(layout: Layout) -> None:
    build_layout(layout.folder, {"linux/amd64": FILES["linux/amd64"]}, LABELS, "small")
    entries = json.loads((layout.folder / "index.json").read_text())["manifests"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries] == ["1.0", "small"]


def test_a_registry_takes_both_platforms_and_answers_the_digest_we_computed(
    layout: Layout, start_registry: RegistryStarter, tmp_path: Path
) -> None:
    registry = start_registry()
    image = f"{registry.host}/team/tool:1.0"
    Skopeo().push(layout, image).or_fail("push")
    Skopeo().pull(image, tmp_path / "pulled").or_fail("pull")
    assert pulled_digest(tmp_path / "pulled") == layout.digest


def test_labels_and_platform_are_what_a_reader_of_the_image_sees(layout: Layout) -> None:
    command = ["skopeo", "--override-os=linux", "--override-arch=arm64", "inspect", f"oci:{layout.folder}:1.0"]
    seen = json.loads(run(command).or_fail("inspect").text)
    assert (seen["Architecture"], seen["Labels"]["org.opencontainers.image.version"]) == ("arm64", "1.0")
    assert seen["Created"] == "2026-01-02T03:04:05Z"
