"""Users of a file become logins; once, twice, ten thousand of them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.audit.models import AuditEvent
from portal.users.models import NAME
from registries.access.adopt.decide import decide_name, disable_login
from registries.access.adopt.htpasswd import read_htpasswd
from registries.access.adopt.import_users import MAX_ROBOT_NAME, Outcome, Wish, fitted_robot_name, import_users
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision
from registries.access.models import RobotAccount
from registries.topology.models import Registry
from tests.registries.access.adopt.old_users import htpasswd_of, make_old_registry
from tests.registries.access.cast import ADMIN, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def snapshots() -> Registry:
    return make_old_registry()


def wish(**more: object) -> Wish:
    values: dict[str, object] = {"team": make_team("payments"), "kind": "ci", **more}
    return Wish(timezone.now() + timedelta(days=90), **values)  # type: ignore[arg-type]


def imported(registry: Registry, data: bytes, wanted: Wish | None = None, *, is_dry_run: bool = False) -> list[Outcome]:
    return import_users(ADMIN, registry, read_htpasswd(data), wanted or wish(), is_dry_run=is_dry_run)


def test_each_user_gets_a_robot_of_the_team_and_kind(snapshots: Registry) -> None:
    make_robot("payments-ci", make_team("other"), "consumer")
    outcomes = imported(snapshots, htpasswd_of("payments-ci", "Shop.Reader", "日本"))
    assert [(row.username, row.what, row.robot) for row in outcomes] == [
        ("payments-ci", "imported", "robot.payments-ci-2"), ("Shop.Reader", "imported", "robot.shop.reader"),
        ("日本", "imported", "robot.imported"),
    ]  # fmt: skip
    robot = RobotAccount.objects.get(name="shop.reader")
    assert (robot.kind, robot.team.name, robot.description) == (
        "ci",
        "payments",
        "Imported: Shop.Reader at ci-snapshots",
    )
    event = AuditEvent.objects.get(verb="adoption.users_imported")
    assert (event.detail["imported"], event.detail["names"]) == (3, ["payments-ci", "Shop.Reader", "日本"])
    assert "$2y$" not in str(list(AuditEvent.objects.values()))


def test_one_robot_can_be_chosen_for_all(snapshots: Registry) -> None:
    robbie = make_robot("robbie", make_team("payments"))
    imported(snapshots, htpasswd_of("one", "two"), wish(team=None, robot=robbie))
    assert {login.robot for login in ImportedLogin.objects.select_related("robot")} == {robbie}
    assert RobotAccount.objects.count() == 1


def test_names_can_be_chosen_so_that_each_team_gets_its_own(snapshots: Registry) -> None:
    data = htpasswd_of("payments-ci", "payments-cd", "shop-ci")
    imported(snapshots, data, wish(names=["payments-*"]))
    imported(snapshots, data, wish(names=["shop-*"], team=make_team("shop"), kind="consumer"))
    found = {login.username: login.robot for login in ImportedLogin.objects.select_related("robot__team")}
    assert {name: robot.team.name for name, robot in found.items()} == {
        "payments-ci": "payments", "payments-cd": "payments", "shop-ci": "shop"
    }  # fmt: skip
    assert found["shop-ci"].kind == "consumer"


def test_again_is_harmless(snapshots: Registry) -> None:
    imported(snapshots, htpasswd_of("one", "two", "three"))
    before = ImportedLogin.objects.get(username="one")
    disable_login(ADMIN, ImportedLogin.objects.get(username="three"))
    changed = htpasswd_of("two", password="new") + htpasswd_of("three", password="new")
    same = f"one:{before.password_hash}\n".encode()
    outcomes = imported(snapshots, same + changed + htpasswd_of("four"), wish(team=make_team("other")))
    assert {row.username: row.what for row in outcomes} == {
        "one": "unchanged", "two": "changed", "three": "changed", "four": "imported"
    }  # fmt: skip
    after = ImportedLogin.objects.select_related("robot").get(username="one")
    assert (after.robot, after.expires_at) == (before.robot, before.expires_at)
    assert ImportedLogin.objects.get(username="three").disabled_at is not None
    assert next(row for row in outcomes if row.username == "three").text == "disabled; it stays so"


def test_a_dry_run_says_it_all_and_changes_nothing(snapshots: Registry) -> None:
    outcomes = imported(snapshots, htpasswd_of("one") + b"old:$apr1$x$y\n", is_dry_run=True)
    assert [(row.what, row.robot) for row in outcomes] == [("imported", "robot.one"), ("left", "")]
    assert not ImportedLogin.objects.exists()
    assert not RobotAccount.objects.exists()
    assert not Adoption.objects.exists()
    assert not AuditEvent.objects.filter(verb__startswith="adoption").exists()


def test_who_is_imported_is_no_longer_refused_on_purpose(snapshots: Registry) -> None:
    adoption = Adoption.objects.create(registry=snapshots)
    for name in ("one", "two"):
        decide_name(ADMIN, adoption, name, None)
    imported(snapshots, htpasswd_of("one"))
    assert list(NameDecision.objects.values_list("username", flat=True)) == ["two"]


def test_somebody_has_to_own_the_robots(snapshots: Registry) -> None:
    with pytest.raises(ValueError, match="which team"):
        imported(snapshots, htpasswd_of("one"), wish(team=None))


def test_names_that_differ_by_case_alone_are_two(snapshots: Registry) -> None:
    outcomes = imported(snapshots, htpasswd_of("mona", "Mona"))
    assert [row.robot for row in outcomes] == ["robot.mona", "robot.mona-2"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("many", [1_500, pytest.param(10_000, marks=pytest.mark.long)])
def test_thousands_of_users(snapshots: Registry, many: int) -> None:
    stored = htpasswd_of("x").split(b":", 1)[1]
    data = b"".join(b"job %d:%s" % (number, stored) for number in range(many))
    outcomes = imported(snapshots, data)
    assert sum(row.what == "imported" for row in outcomes) == many
    assert ImportedLogin.objects.count() == RobotAccount.objects.count() == many


@given(st.text(max_size=300), st.sets(st.sampled_from(["imported", "imported-2", "a", "a-2"])))
def test_any_name_becomes_one_that_robots_may_have(wanted: str, taken: set[str]) -> None:
    name = fitted_robot_name(wanted, taken)
    NAME(name)
    assert len(name) <= MAX_ROBOT_NAME
    assert name not in taken


@given(st.text(alphabet="ab.-_ ", min_size=50, max_size=70))
def test_long_names_stay_apart(wanted: str) -> None:
    first = fitted_robot_name(wanted, [])
    second = fitted_robot_name(wanted, [first])
    NAME(second)
    assert first != second
