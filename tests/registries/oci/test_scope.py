"""What clients ask tokens for, in every form they were seen to ask."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.oci.challenge import parse_challenge
from registries.oci.scope import MAX_SCOPES, Scope, parse_scopes

# A busy machine is no fault of the parser.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _names(*values: str) -> list[str]:
    return [str(scope) for scope in parse_scopes(values).scopes]


def test_scopes_of_one_resource_are_merged_in_order() -> None:
    asked = [
        "repository:team/app:push,pull repository:base:pull",
        "repository:team/app:pull",
        "repository:team/app:delete",
    ]
    assert _names(*asked) == ["repository:team/app:pull,push,delete", "repository:base:pull"]


def test_a_name_may_hold_a_port() -> None:
    [scope] = parse_scopes(["repository:host:5000/app:pull"]).scopes
    assert scope == Scope("repository", "host:5000/app", frozenset({"pull"}))


def test_a_class_is_dropped() -> None:
    assert _names("repository(plugin):team/app:pull") == ["repository:team/app:pull"]


def test_a_name_may_be_empty_and_says_so() -> None:
    [scope] = parse_scopes(["repository::pull"]).scopes
    assert scope.is_nameless


def test_case_is_kept_and_kinds_stay_apart() -> None:
    assert _names("repository:Team/app:pull", "repository:team/app:pull", "registry:catalog:*", "repository:catalog:*") == [
        "repository:Team/app:pull", "repository:team/app:pull", "registry:catalog:*", "repository:catalog:*",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    ["repository", "repository:pull", ":x:pull", "Repository:x:pull", "repository:x:", "repository:x:,", "repository:x:PULL",
     "repository:x:pull;push", "repository:é:pull", "repository:" + "x" * 256 + ":pull", "repository:x:" + ",".join(["pull"] * 40),
     "repository(:x:pull", "repository:x\x00:pull", "repository:x:pull\n"],
)  # fmt: skip
def test_one_malformed_scope_does_not_void_the_others(bad: str) -> None:
    parsed = parse_scopes([f"repository:a:pull {bad}", "repository:b:pull"])
    assert [scope.name for scope in parsed.scopes] == ["a", "b"]
    [(text, reason)] = parsed.rejected
    assert bad.startswith(text)
    assert reason


def test_too_many_scopes_are_cut_off_with_a_reason() -> None:
    parsed = parse_scopes([" ".join(f"repository:r{n}:pull" for n in range(5000))])
    assert len(parsed.scopes) == MAX_SCOPES
    assert "the rest is left out" in parsed.rejected[0][1]


@patient
@given(st.lists(st.text(max_size=60), max_size=8))
def test_no_text_breaks_the_parser(values: list[str]) -> None:
    again = parse_scopes(map(str, parse_scopes(values).scopes))
    assert again.scopes == parse_scopes(values).scopes
    assert not again.rejected


def test_a_challenge_is_read_with_its_commas() -> None:
    [challenge] = parse_challenge(
        'Bearer realm="https://portal.example/token",service="prod",scope="repository:a:pull,push",error="insufficient_scope"',
        "https://prod.example",
    )
    assert challenge.scheme == "bearer"
    assert challenge.params["scope"] == "repository:a:pull,push"
    assert challenge.params["error"] == "insufficient_scope"
    assert challenge.origin == "https://prod.example"


def test_several_challenges_stay_apart() -> None:
    schemes = [
        c.scheme
        for c in parse_challenge('Negotiate YWJj==, basic realm="a \\"b\\"", Bearer realm=x , scope="s", scope="t"')
    ]
    assert schemes == ["negotiate", "basic", "bearer"]
    _, basic, bearer = parse_challenge('Negotiate, basic realm="a \\"b\\"", Bearer realm=x , scope="s", scope="t"')
    assert basic.params == {"realm": 'a "b"'}
    assert bearer.params == {"realm": "x", "scope": "s t"}


@patient
@given(st.text(max_size=200))
def test_no_header_breaks_the_parser(header: str) -> None:
    parse_challenge(header)
