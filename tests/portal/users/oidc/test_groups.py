"""What groups make of teams and roles, without a database."""

import pytest

from portal.users.oidc.groups import Followed, Step, owner_of, plan_roles, plan_teams


@pytest.mark.parametrize(
    ("groups", "maintainer_group", "held", "role"),
    [
        ({"g"}, "", "", "member"),
        ({"g"}, "", "member", None),
        ({"g"}, "", "maintainer", None),
        (set(), "", "member", ""),
        (set(), "", "", None),
        ({"lead"}, "lead", "", "maintainer"),
        ({"g", "lead"}, "lead", "member", "maintainer"),
        ({"g"}, "lead", "maintainer", "member"),
        (set(), "lead", "maintainer", ""),
        ({""}, "", "member", ""),
    ],
)
def test_one_team(groups: set[str], maintainer_group: str, held: str, role: str | None) -> None:
    steps = plan_teams(groups, [Followed(1, "g", maintainer_group, held)])
    assert [step.role for step in steps] == ([] if role is None else [role])


def test_a_step_names_the_group_that_decided() -> None:
    teams = [Followed(1, "g", "lead", ""), Followed(2, "h", "", "member")]
    assert plan_teams({"lead"}, teams) == [Step(1, "maintainer", "lead"), Step(2, "", "h")]


def test_roles_that_no_group_is_about_stay() -> None:
    about = {"auditor": ["a"], "security": ["s", "t"]}
    assert plan_roles({"t"}, about, ["auditor", "release_manager"]) == (["security"], ["auditor"])
    assert plan_roles({"t"}, about, ["security"]) == ([], [])


def test_the_longest_prefix_has_the_say() -> None:
    prefixes = {"company": "", "partner": "partner:", "inner": "partner:inner:"}
    assert owner_of("payments", prefixes) == "company"
    assert owner_of("partner:payments", prefixes) == "partner"
    assert owner_of("partner:inner:x", prefixes) == "inner"
    assert owner_of("payments", {"partner": "partner:"}) == ""
