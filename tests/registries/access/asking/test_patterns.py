"""What is said of globs holds for every name there is: checked against names, not against the code."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from portal.globs import matches
from registries.access.asking.patterns import covers, example_of, is_plain, may_mean_below, pattern_fault, stem_of

NAMES = ["/".join(parts) for depth in (1, 2, 3) for parts in product(("a", "b", "ab"), repeat=depth)]
PARTS = st.sampled_from(("a", "b", "ab", "*", "**", "a*", "*b", "?", "a?"))
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(PATTERNS, PATTERNS)
def test_what_covers_another_means_all_its_names(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert all(matches(wide, name) for name in NAMES if matches(narrow, name))


@given(PATTERNS)
def test_everything_covers_itself_and_all_cover_it(pattern: str) -> None:
    assert covers("**", pattern)
    assert covers(pattern, example_of(pattern))
    assert matches(pattern, example_of(pattern))


@given(PATTERNS, st.sampled_from(NAMES))
def test_a_name_below_a_prefix_is_never_missed(pattern: str, prefix: str) -> None:
    if any(matches(pattern, name) for name in NAMES if name == prefix or name.startswith(f"{prefix}/")):
        assert may_mean_below(pattern, prefix)


@given(PATTERNS)
def test_all_names_lie_under_the_stem(pattern: str) -> None:
    stem = stem_of(pattern)
    found = [name for name in NAMES if matches(pattern, name)]
    assert all(not stem or name == stem or name.startswith(f"{stem}/") for name in found)


def test_usual_pairs() -> None:
    yes = [("a/**", "a"), ("a/**", "a/b/*"), ("a/*", "a/b"), ("a/*", "a/?"), ("a*", "ab"), ("**/api", "x/y/api")]
    no = [("a/*", "a/**"), ("a/**", "a-b"), ("a/**", "ab/**"), ("a/b", "a/*"), ("?", "*"), ("a/*", "a")]
    assert [pair for pair in yes if not covers(*pair)] == []
    assert [pair for pair in no if covers(*pair)] == []
    assert not may_mean_below("payments-*", "payments")
    assert may_mean_below("pay*/**", "payments")


def test_what_is_no_pattern() -> None:
    good = ["a", "a/**", "**", "team-*/api", "a?/b.c", "x__y"]
    bad = ["", "/a", "a/", "a//b", "A", "a b", "a/\0", "ü", "a:1", "a" * 256, "..", "a/../b", "[a]"]
    assert [pattern for pattern in good if pattern_fault(pattern)] == []
    assert [pattern for pattern in bad if not pattern_fault(pattern)] == []
    assert is_plain("a/b")
    assert not is_plain("a/?")
