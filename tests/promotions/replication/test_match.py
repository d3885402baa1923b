"""What should follow, and how rows change for it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotions.replication.match import Known, is_referrers_tag, pause_after, plan_deliveries, wanted_tags
from registries.oci.digest import Digest

A, B = Digest.of(b"a"), Digest.of(b"b")
TAGS = {"1.4.2": A, "latest": B}


@pytest.mark.parametrize(
    ("repository_glob", "tag_glob", "repository", "expected"),
    [
        ("**", "*", "payments/api", {"1.4.2", "latest"}),
        ("payments/**", "*", "payments/api", {"1.4.2", "latest"}),
        ("payments/**", "*", "payments-b/api", set()),
        ("payments/*", "*", "payments/api/deep", set()),
        ("**", "1.*", "payments/api", {"1.4.2"}),
        ("**", "v?", "payments/api", set()),
        ("Payments/**", "*", "payments/api", set()),
    ],
)
def test_a_rule_speaks_of_names_by_glob(
    repository_glob: str, tag_glob: str, repository: str, expected: set[str]
) -> None:
    assert set(wanted_tags(repository_glob, tag_glob, repository, TAGS)) == expected


def test_rows_become_what_is_wanted() -> None:
    known = [Known("1.4.2", A, is_begun=True), Known("latest", A, is_begun=True), Known("old", A, is_begun=False)]
    changes = plan_deliveries({**TAGS, "new": A}, known)
    assert changes.create == {"new": A}
    assert changes.change == {"latest": B}
    assert changes.drop == ["old"]
    assert not changes.outlived


def test_what_was_delivered_outlives_its_source() -> None:
    """Replication never deletes: the row stays to say so."""
    changes = plan_deliveries({}, [Known("1.4.2", A, is_begun=True)])
    assert changes.outlived == ["1.4.2"]
    assert not changes.drop


tags = st.dictionaries(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from([A, B]))


@given(wanted=tags, known=tags, begun=st.booleans())
def test_nothing_is_lost_and_a_second_plan_has_nothing_to_do(
    wanted: dict[str, Digest], known: dict[str, Digest], begun: bool
) -> None:
    changes = plan_deliveries(wanted, [Known(tag, digest, begun) for tag, digest in known.items()])
    after = {tag: digest for tag, digest in known.items() if tag not in changes.drop} | dict(changes.create)
    after |= changes.change
    assert {tag: after.get(tag) for tag in wanted} == wanted
    again = plan_deliveries(wanted, [Known(tag, digest, begun) for tag, digest in after.items()])
    assert (dict(again.create), dict(again.change), list(again.drop)) == ({}, {}, [])


def test_pauses_grow_to_an_hour_and_never_further() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, 50)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=15)
    assert pauses[-1] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [(A.fallback_tag, True), (f"{A.fallback_tag}.sig", True), ("sha256-short", False), ("1.4.2", False)],
)
def test_tags_of_signatures_are_known(tag: str, expected: bool) -> None:
    assert is_referrers_tag(tag) is expected
