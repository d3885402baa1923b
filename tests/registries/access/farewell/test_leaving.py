"""Somebody leaves: what hangs on them is on one page, and one action rotates what they knew and disables what they had."""

import re
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.approvals.models import ApprovalRule, Delegation
from portal.audit.models import AuditEvent
from portal.outbox.models import Message
from portal.users.accounts import grant_role
from portal.users.models import Membership, Role, Team, User
from promotions.archive.models import ArchiveEntry
from registries.access.asking.request_models import AccessRequest
from registries.access.credential.credentials import authenticate_secret, issue_personal_token, issue_robot_secret
from registries.access.farewell.offboard import Farewell, OffboardRefusedError, offboard
from registries.access.models import AccessRule, RobotAccount, Secret
from registries.access.queries import may
from registries.topology.models import Registry
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Story:
    """dora leaves. She alone maintains payments, was shown two secrets of its robot, and has what people have."""

    def __init__(self) -> None:
        now = timezone.now()
        self.dora, self.bob, self.ada = (make_person(name) for name in ("dora", "bob", "ada"))
        grant_role(ADMIN, self.ada, Role.PLATFORM_ADMIN)
        grant_role(ADMIN, self.dora, Role.RELEASE_MANAGER)
        self.payments = make_team("payments", self.bob, maintainers=(self.dora,))
        self.robot = make_robot("payments-ci", self.payments)
        _, self.token = issue_personal_token(self.dora.actor, self.dora, "laptop", None)
        self.used, self.used_text = issue_robot_secret(ADMIN, self.robot, "runner", None, shown_to=self.dora)
        self.unused, self.unused_text = issue_robot_secret(ADMIN, self.robot, "spare", None, shown_to=self.dora)
        self.foreign, self.foreign_text = issue_robot_secret(ADMIN, self.robot, "bobs", None, shown_to=self.bob)
        Secret.objects.filter(pk=self.used.pk).update(last_used_at=now)
        self.prod = make_registry("prod", contact="Dora <dora@example.com>")
        self.rule = AccessRule.objects.create(user=self.dora, registry=self.prod, reason="she audits")
        self.delegation = Delegation.objects.create(
            principal=self.dora, delegate=self.bob, starts_at=now, ends_at=now + timedelta(days=30), reason="holidays"
        )
        self.approval = ApprovalRule.objects.create(
            policy_label="x", policy_key="1", name="release managers", role=Role.RELEASE_MANAGER
        )

    def login(self, text: str) -> bool:
        return authenticate_secret(None, text, timezone.now()) is not None

    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user, BACKEND)
        return client

    @property
    def page(self) -> str:
        return f"/admin/users/user/{self.dora.pk}/leaving/"


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_page_says_all_that_hangs_on_her(story: Story) -> None:
    AccessRequest.objects.create(
        requester=story.dora,
        registry=story.prod,
        pattern="shop/**",
        actions="pull",
        reason="to compare",
        ends_at=timezone.now(),
    )
    SocialAccount.objects.create(user=story.dora, provider="corp", uid="d-4711")
    ArchiveEntry.objects.create(
        upstream=make_registry("hub", "upstream"), upstream_repository="library/busybox", upstream_tag="1.36",
        archive=make_registry("archive"), repository="busybox", tag="1.36", owner=story.payments, reason="init containers",
    )  # fmt: skip
    ada = story.browser(story.ada)
    person = ada.get(f"/admin/users/user/{story.dora.pk}/change/").content.decode()
    assert story.page in person
    page = ada.get(story.page).content.decode()
    for said in (
        "only maintainer", "laptop", "runner", "spare", "allow dora pull on prod", "bob decides for dora", "shop/**",
        "release managers", "there is nobody", "Dora &lt;dora@example.com&gt;", "d-4711", "init containers", "release manager",
    ):  # fmt: skip
        assert said in page, said
    assert "bobs" not in page
    for text in (story.token, story.used_text, story.used.secret_hash):
        assert text not in page


def test_a_name_within_another_is_no_contact(story: Story) -> None:
    Registry.objects.update(contact="pandora, dora-the-second")
    assert "Where they are the contact" not in story.browser(story.ada).get(story.page).content.decode()
    Registry.objects.update(contact="#payments, dora")
    assert "Where they are the contact" in story.browser(story.ada).get(story.page).content.decode()


def test_one_action_rotates_and_disables(story: Story) -> None:
    dora = story.browser(story.dora)
    assert dora.get("/inbox/").status_code == 200
    choice = {f"team-{story.payments.pk}": str(story.bob.pk)}
    shown = story.browser(story.ada).post(story.page, choice, follow=True).content.decode()
    assert "1 personal tokens revoked, 1 robot secrets revoked, 1 robot secrets end soon" in shown
    assert dora.get("/inbox/").status_code == 302
    assert not story.login(story.token)
    assert [story.login(text) for text in (story.used_text, story.unused_text, story.foreign_text)] == [
        True,
        False,
        True,
    ]
    story.used.refresh_from_db()
    assert story.used.expires_at is not None
    assert timedelta(days=6) < story.used.expires_at - timezone.now() <= timedelta(days=7)
    assert Membership.objects.get(team=story.payments, user=story.bob).role == "maintainer"
    story.dora.refresh_from_db()
    assert not story.dora.is_active
    assert not may(story.dora, "pull", story.prod, "payments/api")
    story.delegation.refresh_from_db()
    assert story.delegation.ends_at <= timezone.now()
    event = AuditEvent.objects.get(verb="person.offboarded")
    assert (event.actor_name, event.object_name) == ("ada", "dora")
    assert event.detail["ending"] == [story.used.handle]
    verbs = set(AuditEvent.objects.filter(actor_name="ada").values_list("verb", flat=True))
    assert verbs >= {
        "person.switched_off", "personaltoken.revoked", "secret.revoked", "secret.shortened", "accessrule.ended", "team.joined",
        "delegation.ended",
    }  # fmt: skip


def test_the_new_maintainer_is_told_to_issue_new_secrets(story: Story) -> None:
    offboard(story.ada.actor, story.dora, Farewell(successors={story.payments.pk: story.bob}))
    mail = Message.objects.get(topic="credential.replace")
    assert mail.destination == "bob@example.com"
    assert mail.title == "dora has left: new secrets for robot.payments-ci"
    assert f"/admin/access/secret/{story.used.pk}/replace/" in mail.body
    assert f"/admin/access/robotaccount/{story.robot.pk}/secret/" in mail.body
    assert mail.payload["revoked"] == [story.unused.handle]
    assert story.used_text not in mail.body


def test_each_secret_goes_the_way_that_was_chosen(story: Story) -> None:
    chosen = {f"secret-{story.used.pk}": "0", f"secret-{story.unused.pk}": "30"}
    story.browser(story.ada).post(story.page, chosen)
    assert [story.login(text) for text in (story.used_text, story.unused_text)] == [False, True]


def test_twice_is_once(story: Story) -> None:
    ada = story.browser(story.ada)
    ada.post(story.page, {})
    before = (AuditEvent.objects.count(), Message.objects.count(), list(Secret.objects.order_by("pk").values()))
    again = ada.post(story.page, {}, follow=True).content.decode()
    assert "had left before" in again
    assert (AuditEvent.objects.count(), Message.objects.count(), list(Secret.objects.order_by("pk").values())) == before


def test_an_end_that_comes_sooner_stays(story: Story) -> None:
    soon = timezone.now() + timedelta(days=1)
    Secret.objects.filter(pk=story.used.pk).update(expires_at=soon)
    offboard(story.ada.actor, story.dora, Farewell(days={story.used.pk: 30}))
    story.used.refresh_from_db()
    assert story.used.expires_at == soon


def test_all_of_it_or_nothing(story: Story) -> None:
    User.objects.filter(pk=story.bob.pk).update(is_active=False)
    story.bob.refresh_from_db()
    before = AuditEvent.objects.count()
    with pytest.raises(OffboardRefusedError, match="active"):
        offboard(story.ada.actor, story.dora, Farewell(successors={story.payments.pk: story.bob}))
    story.dora.refresh_from_db()
    assert story.dora.is_active
    assert story.login(story.token)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(("role", "status"), [(Role.SECURITY, 302), (Role.AUDITOR, 403), (Role.RELEASE_MANAGER, 403)])
def test_platform_admins_and_security_act_and_others_look(story: Story, role: Role, status: int) -> None:
    sven = make_person("sven")
    grant_role(ADMIN, sven, role)
    browser = story.browser(sven)
    page = browser.get(story.page)
    assert page.status_code == 200
    assert ("Rotate and disable" in page.content.decode()) is (status == 302)
    assert browser.post(story.page, {}).status_code == status
    story.dora.refresh_from_db()
    assert story.dora.is_active is (status == 403)


def test_people_without_a_role_do_not_see_it(story: Story) -> None:
    bob = story.browser(story.bob)
    assert bob.get(story.page, follow=True).status_code == 403
    assert bob.post(story.page, {}, follow=True).status_code == 403
    story.dora.refresh_from_db()
    assert story.dora.is_active


def test_nobody_lets_themselves_go_and_the_last_admin_stays(story: Story) -> None:
    ada = story.browser(story.ada)
    own = f"/admin/users/user/{story.ada.pk}/leaving/"
    assert "ask another platform admin" in ada.get(own).content.decode()
    refused = ada.post(own, {})
    assert refused.status_code == 409
    assert "cannot let yourself go" in refused.content.decode()
    sven = make_person("sven")
    grant_role(ADMIN, sven, Role.SECURITY)
    story.ada.set_password("she can sign in")
    story.ada.save()
    assert "no platform admin who can sign in" in story.browser(sven).post(own, {}).content.decode()
    story.ada.refresh_from_db()
    assert story.ada.is_active


def test_an_admin_who_cannot_sign_in_is_nobody_to_leave_the_portal_to(story: Story) -> None:
    eve, sven = make_person("eve"), make_person("sven")
    grant_role(ADMIN, eve, Role.PLATFORM_ADMIN)
    grant_role(ADMIN, sven, Role.SECURITY)
    for person, password in ((story.ada, "correct horse battery"), (eve, None)):
        person.set_password(password)
        person.save()
    refused = story.browser(sven).post(f"/admin/users/user/{story.ada.pk}/leaving/", {})
    assert refused.status_code == 409
    assert "no platform admin who can sign in" in refused.content.decode()
    story.ada.refresh_from_db()
    assert story.ada.is_active
    assert not AuditEvent.objects.filter(verb="person.offboarded").exists()


@pytest.mark.parametrize("value", ["99", "-1", "x", "0; drop"])
def test_what_was_not_offered_is_refused(story: Story, value: str) -> None:
    answer = story.browser(story.ada).post(story.page, {f"secret-{story.used.pk}": value})
    assert answer.status_code == 400
    story.dora.refresh_from_db()
    assert story.dora.is_active
    answer = story.browser(story.ada).post(story.page, {f"team-{story.payments.pk}": "99999"})
    assert answer.status_code == 400


def test_the_page_is_bounded(story: Story, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        issue_robot_secret(
            ADMIN, make_robot(f"r{number}", make_team(f"t{number}", story.dora)), "x", None, shown_to=story.dora
        )
        AccessRule.objects.create(user=story.dora, pattern=f"n{number}/**")
    ada = story.browser(story.ada)
    with django_assert_max_num_queries(70):
        assert ada.get(story.page).status_code == 200


def test_from_the_command_line_it_is_shown_first(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("offboard", "dora", "--dry-run", "--successor", "payments=bob")
    said = capsys.readouterr().out
    assert re.search(r"secret \w+ \(robot\.payments-ci: runner\): ends in 7 days", said)
    assert re.search(r"secret \w+ \(robot\.payments-ci: spare\): revoked", said)
    assert "team payments: bob" in said
    assert "Nothing was done." in said
    story.dora.refresh_from_db()
    assert story.dora.is_active
    call_command("offboard", "dora", "--days", "0", "--successor", "payments=bob")
    assert "dora has left: the account is off" in capsys.readouterr().out
    assert not story.login(story.used_text)
    assert AuditEvent.objects.get(verb="person.offboarded").actor_name == "command line"
    call_command("offboard", "dora")
    assert "had left before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nobody"], "nobody named nobody"),
        (["dora", "--successor", "payments"], "no team|TEAM=USERNAME"),
        (["dora", "--successor", "nowhere=bob"], "no team nowhere"),
        (["dora", "--successor", "payments=nobody"], "nobody named nobody"),
        (["dora", "--successor", "payments=dora"], "another person"),
        (["dora", "--days", "31"], "invalid choice"),
    ],
)
def test_what_the_command_line_cannot_do_it_says(story: Story, arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("offboard", *arguments)
    story.dora.refresh_from_db()
    assert story.dora.is_active


def test_a_team_that_somebody_else_maintains_needs_no_successor(story: Story) -> None:
    Membership.objects.filter(user=story.bob).update(role="maintainer")
    page = story.browser(story.ada).get(story.page).content.decode()
    assert "not the only one" in page
    assert f'name="team-{story.payments.pk}"' not in page
    offboard(story.ada.actor, story.dora, Farewell(successors={story.payments.pk: story.ada}))
    assert not Membership.objects.filter(user=story.ada).exists()
    assert Team.objects.get().memberships.count() == 2
    assert RobotAccount.objects.get().is_active
