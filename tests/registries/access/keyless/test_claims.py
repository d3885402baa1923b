"""Which jobs does a rule mean? Values in, a reason out."""

from typing import Any

import pytest

from registries.access.keyless.claims import Conditions, condition_faults, match_claims

JOB = {
    "repository_id": "1234",
    "repository": "acme/payments",
    "ref": "refs/heads/release/1.2",
    "job_workflow_ref": "acme/ci/.github/workflows/build.yml@refs/heads/main",
    "event_name": "push",
    "ref_protected": "true",
    "run": 7,
    "is_fork": False,
    "groups": ["a"],
}


def why_not(kind: str = "generic", **conditions: list[str]) -> str:
    return match_claims(Conditions(kind, {name: tuple(values) for name, values in conditions.items()}), JOB)


def test_all_conditions_must_hold() -> None:
    assert why_not(repository_id=["1234"], event_name=["push"]) == ""
    assert why_not(repository_id=["1234"], event_name=["schedule"]) == "the claim event_name is 'push', not schedule"
    assert why_not(repository_id=["9", "1234"]) == ""


def test_what_is_missing_never_matches() -> None:
    assert why_not(environment=["prod"]) == "the claim environment is missing"
    assert why_not() == "the rule has no conditions"
    assert why_not(groups=["a"]) == "the claim groups is no plain value"


def test_numbers_and_flags_are_compared_as_text() -> None:
    assert why_not(run=["7"], is_fork=["false"]) == ""
    assert why_not(is_fork=["0"])


@pytest.mark.parametrize(
    ("pattern", "does"),
    [
        ("refs/heads/release/*", True),
        ("refs/heads/release/1.*", True),
        ("refs/heads/*", False),
        ("refs/**", False),
        ("heads/release/*", False),
        ("refs/heads/release", False),
        ("refs/heads/release/1.2\n", False),
        ("REFS/heads/release/*", False),
        ("refs.heads.release.1.2", False),
    ],
)
def test_wildcards_are_anchored_and_stop_at_a_slash(pattern: str, does: bool) -> None:
    assert (why_not(ref=[pattern]) == "") is does


def test_a_wildcard_stops_at_a_colon() -> None:
    claims = {"sub": "repo:acme/payments:pull_request"}
    assert match_claims(Conditions("generic", {"sub": ("repo:acme/*",)}), claims)
    assert not match_claims(Conditions("generic", {"sub": ("repo:acme/*:pull_request",)}), claims)


def test_what_a_stranger_proposes_is_no_job_of_the_repository() -> None:
    claims = {**JOB, "event_name": "pull_request_target"}
    rule = Conditions("github", {"repository_id": ("1234",)})
    assert "pull_request_target" in match_claims(rule, claims)
    assert match_claims(rule, JOB) == ""


@pytest.mark.parametrize(
    ("kind", "conditions"),
    [
        ("generic", {}),
        ("generic", None),
        ("generic", ["repository_id"]),
        ("generic", {"iss": ["https://a.example"]}),
        ("generic", {"ref": []}),
        ("generic", {"ref": "main"}),
        ("generic", {"ref": [""]}),
        ("generic", {"ref": ["*"]}),
        ("generic", {"ref": ["*/*:*"]}),
        ("generic", {"ref": [1]}),
        ("generic", {"ref": ["refs/heads/*"]}),
        ("github", {"sub": ["repo:acme/payments:ref:refs/heads/main"]}),
        ("github", {"repository": ["acme/payments"]}),
        ("github", {"repository_id": ["12*"]}),
        ("gitlab", {"project_path": ["acme/payments"], "ref_protected": ["true"]}),
    ],
)
def test_a_rule_that_would_let_in_too_many_is_none(kind: str, conditions: Any) -> None:
    assert condition_faults(kind, conditions)


@pytest.mark.parametrize(
    ("kind", "conditions"),
    [
        ("generic", {"sub": ["system:serviceaccount:ci:builder"]}),
        ("github", {"repository_id": ["1234"], "ref": ["refs/heads/*"]}),
        ("github", {"repository_owner_id": ["77"]}),
        ("gitlab", {"project_id": ["5"], "ref_protected": ["true"]}),
    ],
)
def test_a_rule_that_means_somebody(kind: str, conditions: Any) -> None:
    assert condition_faults(kind, conditions) == []
