"""Maintainers say who belongs to their team, and somebody is always left who does."""

import pytest

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.users.models import Membership, Role, RoleGrant, Team, User
from portal.users.team_members import let_go, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, User]:
    names = ("sue", "dora", "charlie", "ada", "audrey")
    found = {name: User.objects.create(username=name, email=f"{name}@example.com") for name in names}
    RoleGrant.objects.create(user=found["ada"], role=Role.PLATFORM_ADMIN)
    RoleGrant.objects.create(user=found["audrey"], role=Role.AUDITOR)
    return found


@pytest.fixture
def shop(people: dict[str, User]) -> Team:
    team = Team.objects.create(name="shop")
    Membership.objects.create(team=team, user=people["sue"], role="maintainer")
    Membership.objects.create(team=team, user=people["dora"])
    return team


def test_people_come_and_go(shop: Team, people: dict[str, User]) -> None:
    made = take_in(people["sue"], shop, " charlie ")
    assert (made.user, made.role) == (people["charlie"], "member")
    let_go(people["sue"], made)
    assert not Membership.objects.filter(user=people["charlie"]).exists()
    assert list(AuditEvent.objects.values_list("verb", flat=True).order_by("pk")) == ["team.joined", "team.left"]


@pytest.mark.parametrize("who", ["dora", "charlie", "audrey"])
def test_nobody_else_says_so(shop: Team, people: dict[str, User], who: str) -> None:
    with pytest.raises(Problem, match="Maintainers of team shop"):
        take_in(people[who], shop, who, as_maintainer=True)
    with pytest.raises(Problem, match="Maintainers of team shop"):
        let_go(people[who], Membership.objects.get(user=people["sue"]))
    assert Membership.objects.get(user=people["sue"]).role == "maintainer"


def test_the_last_maintainer_names_another_first(shop: Team, people: dict[str, User]) -> None:
    mine = Membership.objects.get(user=people["sue"])
    for by in ("sue", "ada"):
        with pytest.raises(Problem, match="last maintainer"):
            let_go(people[by], mine)
        with pytest.raises(Problem, match="last maintainer"):
            take_in(people[by], shop, "sue")
    take_in(people["sue"], shop, "dora", as_maintainer=True)
    let_go(people["sue"], mine)
    assert Membership.objects.get(team=shop).user == people["dora"]


def test_a_maintainer_whose_account_is_closed_is_none(shop: Team, people: dict[str, User]) -> None:
    take_in(people["sue"], shop, "charlie", as_maintainer=True)
    people["charlie"].is_active = False
    people["charlie"].save()
    with pytest.raises(Problem, match="last maintainer"):
        let_go(people["ada"], Membership.objects.get(user=people["sue"]))


def test_where_the_identity_provider_says_who_belongs_nobody_here_does(shop: Team, people: dict[str, User]) -> None:
    shop.external_group = "grp-shop"
    shop.save()
    with pytest.raises(Problem, match="grp-shop"):
        take_in(people["sue"], shop, "charlie")
    with pytest.raises(Problem, match="grp-shop"):
        let_go(people["ada"], Membership.objects.get(user=people["dora"]))


@pytest.mark.parametrize("name", ["", "nobody", "\0", "charlie@example.com"])
def test_unknown_people(shop: Team, people: dict[str, User], name: str) -> None:
    with pytest.raises(Problem, match="no active person"):
        take_in(people["sue"], shop, name)
