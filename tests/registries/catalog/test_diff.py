"""What changed between rows and a list."""

from hypothesis import given
from hypothesis import strategies as st

from registries.catalog.diff import BRAKE_FREE_TAGS, KnownTag, Move, brake_sweep, diff_tags
from registries.oci.digest import Digest

A, B, C = (Digest.of(text.encode()) for text in "ABC")
NAMES = st.sampled_from(["v1", "v2", "v3", "latest", "main"])
DIGESTS = st.sampled_from([A, B, C])


def test_new_moved_and_unchanged_tags_are_told_apart() -> None:
    known = {"v1": KnownTag(A), "latest": KnownTag(A)}

    diff = diff_tags(known, frozenset({"v1", "v2", "latest"}), {"v1": A, "v2": B, "latest": B})

    assert set(diff.moves) == {Move("v2", None, B), Move("latest", A, B)}
    assert not diff.missing
    assert not diff.returned


def test_a_tag_that_is_not_listed_is_counted_and_not_removed() -> None:
    diff = diff_tags({"v1": KnownTag(A), "v2": KnownTag(B, missing_reads=1)}, frozenset(), {})

    assert diff.missing == {"v1": 1, "v2": 2}
    assert not diff.moves


def test_a_tag_that_comes_back_is_counted_no_longer() -> None:
    diff = diff_tags({"v1": KnownTag(A, missing_reads=1)}, frozenset({"v1"}), {"v1": A})

    assert diff.returned == ("v1",)
    assert not diff.missing
    assert not diff.moves


def test_a_listed_tag_that_could_not_be_resolved_is_neither_missing_nor_moved() -> None:
    assert diff_tags({"v1": KnownTag(A)}, frozenset({"v1", "odd"}), {}).is_empty


def test_the_brake_holds_when_more_than_half_would_go() -> None:
    assert brake_sweep(100, 51) is not None
    assert brake_sweep(100, 50) is None
    assert brake_sweep(21, 21) is not None


def test_the_brake_lets_a_small_registry_be_emptied() -> None:
    assert brake_sweep(BRAKE_FREE_TAGS, BRAKE_FREE_TAGS) is None


@given(
    known=st.dictionaries(NAMES, st.builds(KnownTag, DIGESTS, st.integers(0, 3))),
    read=st.dictionaries(NAMES, DIGESTS),
    hollow=st.sets(NAMES),
)
def test_following_a_diff_leads_from_what_was_known_to_what_was_read(
    known: dict[str, KnownTag], read: dict[str, Digest], hollow: set[str]
) -> None:
    listed = frozenset(read) | hollow
    diff = diff_tags(known, listed, read)
    after = {name: tag.digest for name, tag in known.items() if name not in diff.missing}
    for move in diff.moves:
        assert after.get(move.tag) == move.old
        after[move.tag] = move.new

    assert all(after[name] == digest for name, digest in read.items())
    assert set(diff.missing) == set(known) - listed
    assert all(after[name] == known[name].digest for name in set(after) - set(read))
