"""A tag that is not named by the rules of its zone becomes an incident, and ends by itself."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.outbox.models import Message, WebhookEndpoint
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.models import Namespace
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.diff import Move
from registries.catalog.models import Repository, TagEvent
from registries.catalog.moves import remove_tags, write_moves
from registries.sentinel import look as looking
from registries.sentinel.accept import NotAcceptableError, accept_incident, may_accept, reopen_incident
from registries.sentinel.look import look_at_all, look_at_repository, repositories_behind
from registries.sentinel.models import Incident, RepositoryLook
from registries.sentinel.panels import attention_panel, repository_panel
from registries.sentinel.tasks import look
from registries.sentinel.tell import tell_new
from registries.topology.models import Registry
from tests.portal.web.cast import index
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
SYNC, JOB, BASELINE = TagEvent.Source.SYNC, TagEvent.Source.JOB, TagEvent.Source.BASELINE


@pytest.fixture
def ci() -> Registry:
    return make_registry("ci-snapshots")


@pytest.fixture
def api(ci: Registry) -> Repository:
    return Repository.objects.create(registry=ci, name="payments/api")


@pytest.fixture
def rule(ci: Registry) -> NamingRule:
    return NamingRule.objects.create(zone=ci.zone, subject="tag", names=["pr-*", "sha-*"], reason="see the handbook")


def push(repository: Repository, *tags: str, source: TagEvent.Source = SYNC, content: str = "x") -> None:
    """As a sync or a job would write it down."""
    digest = index(content).digest
    write_moves(repository, [Move(tag, None, digest) for tag in tags], at=timezone.now(), source=source)


def states() -> dict[str, str]:
    return {row.tag: row.state for row in Incident.objects.order_by("pk")}


def now() -> datetime:
    return timezone.now()


def test_a_tag_that_does_not_fit_is_found_once_with_the_rule_and_the_reason(api: Repository, rule: NamingRule) -> None:
    push(api, "pr-7", "latest")
    look_at_all(now())
    incident = Incident.objects.get()
    assert (str(incident), incident.kind, incident.state) == (
        "ci-snapshots/payments/api:latest",
        "misnamed_tag",
        "open",
    )
    assert incident.detail == "latest is not named like pr-* or sha-*: see the handbook"
    assert f"naming rule {rule.pk}" in incident.rule
    assert incident.digest == index("x").digest
    assert look_at_all(now()) == 0
    RepositoryLook.objects.all().delete()
    look_at_all(now())
    assert Incident.objects.count() == 1


def test_what_was_there_when_the_registry_joined_is_a_baseline_until_somebody_moves_it(
    api: Repository, rule: NamingRule
) -> None:
    push(api, "latest", source=BASELINE)
    look_at_all(now())
    assert states() == {}
    push(api, "latest", content="another")
    look_at_all(now())
    assert states() == {"latest": "open"}


def test_what_our_own_jobs_carried_has_the_name_it_was_given_elsewhere(api: Repository, rule: NamingRule) -> None:
    push(api, "latest", source=JOB)
    look_at_all(now())
    assert states() == {}


@pytest.mark.parametrize("tag", [f"sha256-{'0' * 64}", f"sha256-{'a' * 64}.sig", f"sha512-{'b' * 64}.att"])
def test_lists_and_signatures_that_clients_keep_as_tags_are_no_names(
    api: Repository, rule: NamingRule, tag: str
) -> None:
    push(api, tag)
    look_at_all(now())
    assert states() == {}


def test_a_tag_that_is_removed_resolves_its_incident_and_one_that_comes_back_is_another(
    api: Repository, rule: NamingRule
) -> None:
    push(api, "latest")
    look_at_all(now())
    remove_tags(api, ["latest"], at=now(), source=SYNC)
    look_at_all(now())
    incident = Incident.objects.get()
    assert (incident.state, incident.reason) == ("resolved", "The tag is gone.")
    assert incident.resolved_at is not None
    push(api, "latest")
    look_at_all(now())
    assert [row.state for row in Incident.objects.order_by("pk")] == ["resolved", "open"]


def test_a_tag_that_moves_stays_one_incident_on_the_new_digest(api: Repository, rule: NamingRule) -> None:
    push(api, "latest")
    look_at_all(now())
    push(api, "latest", content="another")
    look_at_all(now())
    assert Incident.objects.get().digest == index("another").digest


def test_a_rule_that_is_changed_or_switched_off_is_asked_again(api: Repository, rule: NamingRule) -> None:
    push(api, "latest", "v1", "pr-1")
    look_at_all(now())
    assert states() == {"latest": "open", "v1": "open"}
    rule.names = ["pr-*", "v*"]
    rule.save()
    look_at_all(now())
    assert states() == {"latest": "open", "v1": "resolved"}
    assert Incident.objects.get(tag="v1").reason == "The rules let it pass now."
    rule.is_enabled = False
    rule.save()
    assert look_at_all(now()) == 1
    assert states() == {"latest": "resolved", "v1": "resolved"}
    assert look_at_all(now()) == 0


def test_a_rule_speaks_of_its_zone_its_repositories_and_of_tags_alone(ci: Registry, api: Repository) -> None:
    web = Repository.objects.create(registry=ci, name="shop/web")
    other = Repository.objects.create(registry=make_registry("ci-tests"), name="payments/api")
    NamingRule.objects.create(zone=ci.zone, subject="tag", pattern="payments/**", names=["v*"])
    NamingRule.objects.create(zone=ci.zone, subject="repository", names=["never/**"])
    for repository in (api, web, other):
        push(repository, "latest")
    look_at_all(now())
    assert [str(row) for row in Incident.objects.all()] == ["ci-snapshots/payments/api:latest"]


def test_names_of_tags_differ_by_case(api: Repository, rule: NamingRule) -> None:
    push(api, "PR-7", "pr-7")
    look_at_all(now())
    assert states() == {"PR-7": "open"}


def test_what_is_committed_while_one_looks_is_seen_the_next_time(
    api: Repository, rule: NamingRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision that is noted is the one that was read first."""
    push(api, "pr-1")
    real = looking._loud

    def push_meanwhile(*arguments: object) -> set[int]:
        found: set[int] = real(*arguments)  # type: ignore[arg-type]
        push(api, "latest")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(looking, "_loud", push_meanwhile)
        look_at_all(now())
    assert states() == {}
    assert list(repositories_behind(api.registry.zone, RepositoryLook.objects.get().rules)) == [api]
    look_at_all(now())
    assert states() == {"latest": "open"}


def test_many_repositories_are_looked_at_in_batches(
    ci: Registry, rule: NamingRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "REPOSITORIES_AT_ONCE", 3)
    for number in range(8):
        push(Repository.objects.create(registry=ci, name=f"a/r{number}"), "latest" if number % 2 else "pr-1")
    assert look_at_all(now()) == 8
    assert Incident.objects.count() == 4
    assert look_at_all(now()) == 0


def test_a_repository_that_goes_with_its_registry_takes_nothing_else_along(api: Repository, rule: NamingRule) -> None:
    push(api, "latest")
    look_at_repository(api, (), now())
    api.delete()
    assert look_at_all(now()) == 0


def test_the_team_is_told_once_of_all_its_tags(api: Repository, rule: NamingRule) -> None:
    make_team("payments", make_person("alice"))
    grant_role(ADMIN, make_person("ada"), Role.PLATFORM_ADMIN)
    Namespace.objects.create(zone=api.registry.zone, prefix="payments", team=make_team("payments"))
    WebhookEndpoint.objects.create(name="chat", url="https://chat.example/hook", topics=["incident.opened"])
    push(api, "latest", "v1")
    look()
    mail = Message.objects.get(channel="mail")
    assert (mail.topic, mail.destination) == ("incident.opened", "alice@example.com")
    assert mail.title == "2 tags in ci-snapshots: not named by the rules"
    assert "payments/api:latest: latest is not named like pr-* or sha-*: see the handbook" in mail.body
    assert "/incidents/?registry=ci-snapshots" in mail.body
    hook = Message.objects.get(channel="webhook")
    assert (hook.payload["team"], hook.payload["count"]) == ("payments", 2)
    look()
    assert Message.objects.count() == 2


def test_of_names_that_nobody_owns_platform_admins_are_told(api: Repository, rule: NamingRule) -> None:
    grant_role(ADMIN, make_person("ada"), Role.PLATFORM_ADMIN)
    push(api, "latest")
    look_at_all(now())
    assert tell_new(now()) == 1
    assert Message.objects.get().destination == "ada@example.com"
    assert tell_new(now()) == 0


def test_what_was_resolved_before_anybody_was_told_is_told_to_nobody(api: Repository, rule: NamingRule) -> None:
    push(api, "latest")
    look_at_all(now())
    remove_tags(api, ["latest"], at=now(), source=SYNC)
    look_at_all(now())
    assert tell_new(now()) == 0


@pytest.fixture
def incident(api: Repository, rule: NamingRule) -> Incident:
    push(api, "latest")
    look_at_all(now())
    return Incident.objects.select_related("registry__zone").get()


@pytest.fixture
def alice(api: Repository) -> User:
    user = make_person("alice")
    team = make_team("payments", maintainers=(user,))
    Namespace.objects.create(zone=api.registry.zone, prefix="payments", team=team)
    return user


def test_a_maintainer_accepts_with_a_reason_and_it_stays_accepted(
    incident: Incident, alice: User, api: Repository
) -> None:
    with pytest.raises(NotAcceptableError, match="Say why"):
        accept_incident(alice, incident, "  ", now())
    accept_incident(alice, incident, "a tool needs it", now())
    assert AuditEvent.objects.get(verb="incident.accepted").detail == {"reason": "a tool needs it"}
    push(api, "latest", content="another")
    look_at_all(now())
    incident.refresh_from_db()
    assert (incident.state, incident.accepted_by, incident.reason) == ("accepted", alice, "a tool needs it")
    with pytest.raises(NotAcceptableError, match="not open"):
        accept_incident(alice, incident, "again", now())
    remove_tags(api, ["latest"], at=now() + timedelta(seconds=1), source=SYNC)
    look_at_all(now())
    incident.refresh_from_db()
    assert incident.state == "resolved"


def test_an_acceptance_can_be_taken_back(incident: Incident, alice: User) -> None:
    accept_incident(alice, incident, "for now", now())
    reopen_incident(alice, incident)
    incident.refresh_from_db()
    assert (incident.state, incident.reason, incident.accepted_by) == ("open", "", None)
    with pytest.raises(NotAcceptableError):
        reopen_incident(alice, incident)


def test_outsiders_members_and_release_managers_accept_nothing(incident: Incident, alice: User) -> None:
    mallory, charlie, rita, sue = (make_person(name) for name in ("mallory", "charlie", "rita", "sue"))
    make_team("payments", mallory)
    make_team("shop", maintainers=(charlie,))
    grant_role(ADMIN, rita, Role.RELEASE_MANAGER)
    grant_role(ADMIN, sue, Role.SECURITY)
    for user in (mallory, charlie, rita):
        assert not may_accept(user, incident)
        with pytest.raises(NotAcceptableError, match="maintainer"):
            accept_incident(user, incident, "mine", now())
    assert may_accept(sue, incident)


def test_what_is_open_wants_attention_from_those_it_is_about(incident: Incident, alice: User, api: Repository) -> None:
    charlie, ada = make_person("charlie"), make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    for user in (alice, ada):
        panel = attention_panel(user, "")
        assert panel is not None
        assert list(panel.context["incidents"]) == [incident]
    assert attention_panel(charlie, "") is None
    assert repository_panel(alice, str(api.pk)) is not None
    accept_incident(alice, incident, "fine", now())
    assert attention_panel(ada, "") is None
    assert repository_panel(alice, str(api.pk)) is None
