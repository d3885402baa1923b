"""Who would be refused, under which rule, and which rules would help."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from registries.access.adopt.decide import decide_name, disable_login, forget_decision
from registries.access.adopt.models import Adoption, ImportedLogin, SeenRequest
from registries.access.adopt.outlook import findings_of, make_drafts, suggestions_of
from registries.access.adopt.report import Acting, Finding, Sighting, evaluate_sightings
from registries.access.models import AccessRule, Namespace
from registries.access.snapshot import current_snapshot
from registries.topology.models import Registry
from tests.registries.access.adopt.old_users import make_login, make_old_registry
from tests.registries.access.cast import ADMIN, make_person, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
AT = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


@pytest.fixture
def snapshots() -> Registry:
    return make_old_registry()


@pytest.fixture
def adoption(snapshots: Registry) -> Adoption:
    return Adoption.objects.create(registry=snapshots)


def seen(adoption: Adoption, username: str, action: str, repository: str = "payments/api", **more: object) -> None:
    values: dict[str, object] = {"count": 1, "address": "10.0.0.5", "last_at": AT, **more}
    SeenRequest.objects.create(adoption=adoption, username=username, action=action, repository=repository, **values)


def outlooks(adoption: Adoption) -> dict[tuple[str, str], tuple[str, str]]:
    return {(f.username, f.sighting.action): (f.outlook, f.code) for f in findings_of(adoption, timezone.now())}


def found(adoption: Adoption, username: str, action: str = "pull") -> Finding:
    return next(
        row
        for row in findings_of(adoption, timezone.now())
        if (row.username, row.sighting.action) == (username, action)
    )


def test_an_imported_ci_goes_on_and_a_consumer_that_pushed_does_not(adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci", "ci")
    make_login(adoption.registry, "shop", "consumer")
    for username in ("payments-ci", "shop"):
        seen(adoption, username, "push")
        seen(adoption, username, "pull")
    assert outlooks(adoption) == {
        ("payments-ci", "push"): ("goes on", "by_default"), ("payments-ci", "pull"): ("goes on", "by_default"),
        ("shop", "pull"): ("goes on", "by_default"), ("shop", "push"): ("refused", "ci_only"),
    }  # fmt: skip
    refused = found(adoption, "shop", "push")
    assert refused.rule == "hard rule of ci-snapshots zones"
    assert refused.reason == "ci-snapshots takes images only from CI"


def test_the_report_agrees_with_the_token_endpoint(adoption: Adoption) -> None:
    """The finding is the very verdict, narrowing to the registry included."""
    prod = make_old_registry("prod")
    there = Adoption.objects.create(registry=prod)
    make_login(prod, "payments-ci", "ci")
    seen(there, "payments-ci", "push")
    assert outlooks(there)["payments-ci", "push"] == ("refused", "pipeline_only")


def test_names_that_nobody_knows_are_refused_with_what_to_do(adoption: Adoption) -> None:
    seen(adoption, "ghost", "pull")
    refused = found(adoption, "ghost")
    assert (refused.outlook, refused.code, refused.who) == ("refused", "unmapped", "")
    assert "Import it" in refused.fix


def test_people_with_names_of_their_own_have_to_make_a_token(adoption: Adoption) -> None:
    make_person("mona")
    seen(adoption, "mona", "pull")
    seen(adoption, "mona", "push")
    pull, push = found(adoption, "mona"), found(adoption, "mona", "push")
    assert (pull.outlook, pull.code, pull.who) == ("refused", "own_name", "mona")
    assert "personal token" in pull.fix
    assert "zone ci-snapshots gives pull to everyone" in pull.reason
    assert push.rule == "hard rule of ci-snapshots zones"


def test_a_name_can_be_said_to_be_a_person_or_to_be_refused_on_purpose(adoption: Adoption) -> None:
    alice = make_person("alice")
    seen(adoption, "A.Lice", "pull")
    seen(adoption, "old-job", "pull")
    decide_name(ADMIN, adoption, "A.Lice", alice)
    decide_name(ADMIN, adoption, "old-job", None)
    assert found(adoption, "A.Lice").who == "alice"
    assert found(adoption, "old-job").is_on_purpose
    forget_decision(ADMIN, adoption, "old-job")
    assert found(adoption, "old-job").code == "unmapped"


def test_logins_that_ended_are_told_as_such(adoption: Adoption) -> None:
    disable_login(ADMIN, make_login(adoption.registry, "one"))
    make_login(adoption.registry, "two")
    ImportedLogin.objects.filter(username="two").update(expires_at=timezone.now() - timedelta(days=1))
    for username in ("one", "two"):
        seen(adoption, username, "pull")
    assert outlooks(adoption) == {
        ("one", "pull"): ("refused", "login_disabled"), ("two", "pull"): ("refused", "login_ended")
    }  # fmt: skip


def test_where_the_log_names_nobody_one_name_at_the_address_is_taken_for_it(adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci", "ci")
    seen(adoption, "payments-ci", "pull")
    seen(adoption, "", "push", is_named=False)
    guessed = found(adoption, "payments-ci", "push")
    assert (guessed.is_guessed, guessed.outlook) == (True, "goes on")
    seen(adoption, "somebody-else", "pull")
    assert outlooks(adoption)["", "push"] == ("not known", "not_named")


def test_strangers_are_refused_unless_a_rule_lets_them(adoption: Adoption) -> None:
    seen(adoption, "", "pull", "public/tools")
    assert outlooks(adoption)["", "pull"] == ("refused", "sign_in")
    AccessRule.objects.create(registry=adoption.registry, pattern="public/**", is_public=True)
    assert outlooks(adoption)["", "pull"] == ("goes on", "by_rule")


def test_lists_of_all_names_are_nobodys_and_logins_go_on(adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci")
    seen(adoption, "payments-ci", "catalog", "")
    seen(adoption, "payments-ci", "login", "")
    assert outlooks(adoption) == {
        ("payments-ci", "catalog"): ("refused", "no_catalog"), ("payments-ci", "login"): ("goes on", "logs_in")
    }  # fmt: skip


def test_rules_for_networks_are_held_against_the_address_of_the_log(adoption: Adoption) -> None:
    make_login(adoption.registry, "payments-ci")
    AccessRule.objects.create(effect="deny", registry=adoption.registry, networks="10.0.0.0/8")
    seen(adoption, "payments-ci", "pull", "a/b")
    seen(adoption, "payments-ci", "pull", "a/c", address="192.0.2.1")
    by_name = {row.sighting.repository: row.outlook for row in findings_of(adoption, timezone.now())}
    assert by_name == {"a/b": "refused", "a/c": "goes on"}


def test_what_is_refused_most_comes_first() -> None:
    registry = make_old_registry("prod")
    rows = [
        Sighting("a", True, "", "pull", "x", 1), Sighting("b", True, "", "pull", "x", 9), Sighting("", False, "", "pull", "x", 99),
    ]  # fmt: skip
    snapshot = current_snapshot()
    ordered = evaluate_sightings(snapshot.policy, snapshot.place(registry), rows, {"a": Acting(None, "x", "y")}, AT)
    assert [row.username for row in ordered] == ["b", "a", ""]
    assert [row.outlook for row in ordered] == ["refused", "refused", "not known"]
    assert (ordered[0].by, ordered[1].by) == ("unmapped", "x")


def test_rules_are_suggested_where_a_rule_can_help_and_become_drafts(adoption: Adoption) -> None:
    """In prod robots pull by grant: the log says what they pull."""
    prod = make_old_registry("prod")
    there = Adoption.objects.create(registry=prod)
    make_login(prod, "shop", "consumer")
    for repository in ("payments/api", "payments/web", "tools/curl"):
        seen(there, "shop", "pull", repository, count=3)
    seen(there, "shop", "push", "payments/api")
    seen(there, "", "pull", "public/site")
    seen(there, "ghost", "pull", "payments/api")
    made = make_drafts(ADMIN, there, timezone.now())
    assert sorted((str(rule.team or rule.robot or "public"), rule.pattern, rule.actions) for rule in made) == [
        ("payments", "payments/**", ("pull",)), ("payments", "tools/curl", ("pull",)), ("public", "public/site", ("pull",)),
    ]  # fmt: skip
    assert all(rule.is_draft and rule.registry == prod for rule in made)
    assert outlooks(there)["shop", "pull"][0] == "refused"  # drafts are not in force
    assert make_drafts(ADMIN, there, timezone.now()) == []
    AccessRule.objects.update(is_draft=False)
    AccessRule.objects.first().save()  # type: ignore[union-attr]
    after = {
        (f.username, f.sighting.action, f.sighting.repository): f.outlook for f in findings_of(there, timezone.now())
    }
    assert after["shop", "pull", "payments/web"] == after["", "pull", "public/site"] == "goes on"
    assert after["shop", "push", "payments/api"] == "refused"


def test_a_rule_for_the_robot_itself_is_suggested_where_its_team_owns_the_names(adoption: Adoption) -> None:
    prod = make_old_registry("prod")
    there = Adoption.objects.create(registry=prod)
    make_login(prod, "shop", "consumer")
    Namespace.objects.create(zone=prod.zone, prefix="payments", team=make_team("payments"))
    seen(there, "shop", "pull")
    (rule,) = make_drafts(ADMIN, there, timezone.now())
    assert (str(rule.robot), rule.team) == ("robot.shop", None)


def test_where_a_denial_stands_no_rule_is_suggested(adoption: Adoption) -> None:
    prod = make_old_registry("prod")
    there = Adoption.objects.create(registry=prod)
    make_login(prod, "shop", "consumer")
    AccessRule.objects.create(effect="deny", registry=prod, pattern="payments/**")
    seen(there, "shop", "pull")
    now = timezone.now()
    assert suggestions_of(there, findings_of(there, now), now) == []
