"""What stays although a policy lets its tag go?"""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from registries.oci.digest import Digest
from registries.retention.closure import Closure, Graph, close
from registries.retention.evaluate import Fate, TagFact

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALL = {name: Digest.of(name.encode()) for name in "ABCDEFGH"}
A, B, C, D, E = (ALL[name] for name in "ABCDE")


def fate(tag: str, digest: Digest, is_kept: bool = False, is_protected: bool = False) -> Fate:
    return Fate(TagFact(tag, digest, NOW), is_kept, "week", "It is old.", is_protected)


def graph(
    children: dict[Digest, set[Digest]] | None = None,
    subjects: dict[Digest, Digest] | None = None,
    others: tuple[Digest, ...] = (),
) -> Graph:
    below = {digest: frozenset(found) for digest, found in (children or {}).items()}
    leaves = {child for found in below.values() for child in found} | set(others) | set(subjects or {})
    return Graph({**{leaf: frozenset() for leaf in leaves}, **below}, subjects or {})


def closed(fates: list[Fate], shape: Graph | None = None, holds: dict[Digest, str] | None = None) -> Closure:
    by_tag = {each.tag.name: each for each in fates}
    return close(by_tag, shape or graph(others=tuple(each.tag.digest for each in fates)), holds or {})


def kept(closure: Closure) -> set[str]:
    return {tag for tag, each in closure.fates.items() if each.is_kept}


def test_a_tag_that_nothing_protects_goes_with_its_digest() -> None:
    found = closed([fate("v1", A)])

    assert not kept(found)
    assert found.going == {A}


def test_a_tag_goes_and_its_digest_stays_when_another_tag_keeps_it() -> None:
    found = closed([fate("old", A), fate("latest", A, is_kept=True)])

    assert kept(found) == {"latest"}
    assert found.going == frozenset()
    assert found.fates["old"].reason == "It is old. Its digest stays: tag latest keeps it."


def test_children_of_a_kept_index_stay() -> None:
    found = closed([fate("v1", A, is_kept=True), fate("v1-amd64", B)], graph({A: {B, C}}))

    assert B in found.protected
    assert found.going == frozenset()


def test_an_index_goes_with_its_children_except_those_that_others_need() -> None:
    shape = graph({A: {B, C}, D: {C}})

    found = closed([fate("old", A), fate("new", D, is_kept=True)], shape)
    assert found.going == {A, B}


def test_a_child_of_an_untagged_index_is_left() -> None:
    found = closed([fate("old", A)], graph({A: {B}, D: {B}}))

    assert found.going == {A}


def test_a_held_digest_keeps_its_tag_and_all_below_it() -> None:
    found = closed([fate("v1", A)], graph({A: {B}}), {A: "an open promotion: 17"})

    assert kept(found) == {"v1"}
    assert found.fates["v1"].reason == "Held by an open promotion: 17."
    assert found.going == frozenset()


def test_a_held_child_keeps_the_index_that_leads_to_it() -> None:
    assert kept(closed([fate("v1", A)], graph({A: {B}}), {B: "it runs somewhere: eu"})) == {"v1"}


def test_what_refers_to_something_kept_stays() -> None:
    shape = graph(subjects={B: A}, others=(A,))
    fallback = A.fallback_tag

    found = closed([fate("v1", A, is_kept=True), fate(fallback, C), fate(f"{fallback}.sig", D)], shape)

    assert kept(found) == {"v1", fallback, f"{fallback}.sig"}
    assert {A, B, C, D} <= found.protected.keys()


def test_what_refers_to_something_that_goes_goes_too() -> None:
    shape = graph({C: {B}}, subjects={B: A}, others=(A, D))
    fallback = A.fallback_tag

    found = closed([fate("v1", A), fate(fallback, C, is_kept=True), fate(f"{fallback}.sig", D, is_kept=True)], shape)

    assert not kept(found)
    assert found.going == {A, B, C, D}
    assert "goes" in found.fates[fallback].reason


def test_the_subject_of_something_kept_stays() -> None:
    found = closed([fate("v1", A), fate("sbom", B, is_kept=True)], graph(subjects={B: A}, others=(A,)))

    assert A in found.protected
    assert found.going == frozenset()


def test_a_signature_of_a_child_follows_its_index() -> None:
    signature = f"{B.fallback_tag}.sig"
    shape = graph({A: {B}}, others=(C,))

    assert kept(closed([fate("v1", A, is_kept=True), fate(signature, C)], shape)) == {"v1", signature}
    assert closed([fate("v1", A), fate(signature, C, is_kept=True)], shape).going == {A, B, C}


def test_a_signature_of_something_that_is_not_here_is_a_tag_like_any_other() -> None:
    signature = f"{E.fallback_tag}.sig"

    assert kept(closed([fate(signature, A, is_kept=True)])) == {signature}
    assert not kept(closed([fate(signature, A)]))


def test_a_protected_signature_stays_even_when_its_image_goes() -> None:
    signature = f"{A.fallback_tag}.sig"

    found = closed([fate("v1", A), fate(signature, B, is_kept=True, is_protected=True)])
    assert kept(found) == {signature}
    assert found.going == {A}


NAMES = st.sampled_from(sorted(ALL.values()))


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Fate], Graph, dict[Digest, str]]:
    order = sorted(ALL.values())
    # A child stands after its parents: content cannot contain its own digest.
    children = {
        digest: frozenset(draw(st.sets(st.sampled_from(order[place + 1 :]), max_size=3))) if place < 7 else frozenset()
        for place, digest in enumerate(order)
    }
    subjects = {d: s for d, s in draw(st.dictionaries(NAMES, NAMES, max_size=3)).items() if d != s}
    plain = draw(st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v4"]), st.tuples(NAMES, st.booleans())))
    suffixes = st.sampled_from(["", ".sig"])
    signed = draw(st.dictionaries(st.tuples(NAMES, suffixes), st.tuples(NAMES, st.booleans()), max_size=3))
    fates = [fate(tag, digest, is_kept) for tag, (digest, is_kept) in plain.items()]
    fates += [fate(d.fallback_tag + suffix, digest, keep) for (d, suffix), (digest, keep) in signed.items()]
    holds = dict.fromkeys(draw(st.sets(NAMES, max_size=2)), "a reason")
    return fates, Graph(children, subjects), holds


@settings(max_examples=250, deadline=None)
@given(cases())
def test_nothing_that_anybody_needs_ever_goes(case: tuple[list[Fate], Graph, dict[Digest, str]]) -> None:
    fates, shape, holds = case
    found = closed(fates, shape, holds)
    stay = set(shape.children) - found.going

    for each in found.fates.values():
        if each.is_kept:
            assert each.tag.digest in stay
    for digest in holds:
        assert digest in stay
    for digest in stay:
        assert shape.children[digest] <= stay
    for digest in found.protected:
        assert shape.subjects.get(digest, digest) in found.protected
        assert {r for r, subject in shape.subjects.items() if subject == digest} <= found.protected.keys()
    assert not found.going & found.protected.keys()


@settings(max_examples=120, deadline=None)
@given(cases())
def test_everything_that_goes_was_led_to_by_a_tag_that_goes(
    case: tuple[list[Fate], Graph, dict[Digest, str]],
) -> None:
    fates, shape, holds = case
    found = closed(fates, shape, holds)
    if all(each.is_kept for each in found.fates.values()):
        assert not found.going


@settings(max_examples=120, deadline=None)
@given(cases())
def test_a_tag_that_was_to_stay_goes_only_with_the_image_it_belongs_to(
    case: tuple[list[Fate], Graph, dict[Digest, str]],
) -> None:
    fates, shape, holds = case
    found = closed(fates, shape, holds)
    before = {each.tag.name: each for each in fates}
    for tag, each in found.fates.items():
        if before[tag].is_kept and not each.is_kept:
            assert tag.startswith("sha256-")
            assert "belongs to" in each.reason
