"""What would change for those who pull?"""

from promotions.workflow.diff import ArtifactFacts, PartFacts, difference

OLD = ArtifactFacts(
    "sha256:old", 300, {"linux/amd64": PartFacts({"version": "1", "gone": "x"}, {"a": 100, "b": 50}, "c1")}
)
NEW = ArtifactFacts(
    "sha256:new",
    420,
    {
        "linux/amd64": PartFacts({"version": "2", "fresh": "y"}, {"a": 100, "c": 70}, "c2"),
        "linux/arm64": PartFacts({"version": "2"}, {"d": 90}, "c3"),
    },
)


def test_the_first_promotion_says_so() -> None:
    found = difference(None, NEW)
    assert found["baseline"] == {"digest": "", "tag": "", "is_first": True}
    assert found["platforms"]["added"] == ["linux/amd64", "linux/arm64"]
    assert found["size_bytes"] == {"old": None, "new": 420}


def test_labels_layers_platforms_and_size() -> None:
    found = difference(OLD, NEW, tag="1.4.1")
    amd, arm = found["parts"]
    assert found["baseline"] == {"digest": "sha256:old", "tag": "1.4.1", "is_first": False}
    assert found["platforms"] == {"added": ["linux/arm64"], "removed": [], "kept": ["linux/amd64"]}
    assert amd["labels"] == [
        {"name": "fresh", "old": None, "new": "y"},
        {"name": "gone", "old": "x", "new": None},
        {"name": "version", "old": "1", "new": "2"},
    ]
    assert amd["layers"] == {"shared": 1, "shared_bytes": 100, "new": 1, "new_bytes": 70, "gone": 1}
    assert amd["is_config_changed"]
    assert not amd["is_new"]
    assert arm["is_new"]


def test_a_platform_that_goes_is_named() -> None:
    assert difference(NEW, OLD)["platforms"]["removed"] == ["linux/arm64"]


def test_the_same_artifact_differs_in_nothing() -> None:
    (part, other) = difference(NEW, NEW)["parts"]
    assert part["labels"] == other["labels"] == []
    assert part["layers"]["new"] == part["layers"]["gone"] == 0
    assert not part["is_config_changed"]
