"""Nobody locks everybody out: not on a page, not in a list, not by an operation, not two at once."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.test import Client

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.oidc_settings import OidcProvider
from portal.users.accounts import create_person, delete_person, grant_role, revoke_role, switch_off, switch_on
from portal.users.last_admin import LastAdminError, an_admin_remains, is_there_an_admin
from portal.users.models import Role, RoleGrant, User
from tests.portal.conftest import InThreads

SETUP, PASSWORD = system("tester"), "correct horse battery"
SENTENCE = "this would leave no platform admin who can sign in"
ALLAUTH = "allauth.account.auth_backends.AuthenticationBackend"

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def admin(name: str, **fields: Any) -> User:
    return create_person(SETUP, name, f"{name}@corp.example", PASSWORD, roles=(Role.PLATFORM_ADMIN,), **fields)


@pytest.fixture
def ada() -> User:
    return admin("ada")


def without_password(user: User) -> None:
    with an_admin_remains():
        user.set_unusable_password()
        user.save()


def without_super(user: User) -> None:
    with an_admin_remains():
        RoleGrant.objects.filter(user=user).delete()
        User.objects.filter(pk=user.pk).update(is_superuser=False)


REMOVALS: list[Callable[[User], None]] = [
    lambda user: revoke_role(SETUP, user, Role.PLATFORM_ADMIN),
    lambda user: switch_off(SETUP, user),
    lambda user: delete_person(SETUP, user),
    without_password,
    without_super,
]


@pytest.mark.parametrize("remove", REMOVALS)
def test_the_last_one_stays_whatever_is_tried(ada: User, remove: Callable[[User], None]) -> None:
    recorded = AuditEvent.objects.count()
    with pytest.raises(LastAdminError, match=SENTENCE):
        remove(ada)
    kept = User.objects.get(pk=ada.pk)
    assert kept.is_platform_admin
    assert kept.has_usable_password()
    assert AuditEvent.objects.count() == recorded


@pytest.mark.parametrize("remove", REMOVALS)
def test_one_of_two_may_go(ada: User, remove: Callable[[User], None]) -> None:
    admin("eve")
    remove(ada)
    assert is_there_an_admin()


@pytest.mark.parametrize(
    "other",
    [
        {"is_active": False},
        {"password": "!unusable"},
        {"password": ""},
    ],
)
def test_who_cannot_sign_in_does_not_count(ada: User, other: dict[str, Any]) -> None:
    admin("eve")
    User.objects.filter(username="eve").update(**other)
    with pytest.raises(LastAdminError):
        switch_off(SETUP, ada)


def test_other_roles_do_not_count(ada: User) -> None:
    create_person(SETUP, "sid", "sid@corp.example", PASSWORD, roles=(Role.SECURITY, Role.AUDITOR))
    with pytest.raises(LastAdminError):
        revoke_role(SETUP, ada, Role.PLATFORM_ADMIN)


def test_a_superuser_counts(ada: User) -> None:
    create_person(SETUP, "root", "root@corp.example", PASSWORD, is_superuser=True)
    revoke_role(SETUP, ada, Role.PLATFORM_ADMIN)
    assert not User.objects.get(pk=ada.pk).is_platform_admin


def test_who_comes_by_a_provider_counts_while_there_is_that_provider(ada: User, settings: Any) -> None:
    eve = admin("eve")
    eve.set_unusable_password()
    eve.save()
    SocialAccount.objects.create(user=eve, provider="company", uid="1")
    with pytest.raises(LastAdminError):
        switch_off(SETUP, ada)
    settings.PORTAL_OIDC_PROVIDERS = {"company": OidcProvider("company", "https://login.example", "x")}
    switch_off(SETUP, ada)


def test_where_passwords_are_for_a_few_only_those_count(ada: User, settings: Any) -> None:
    admin("eve")
    settings.PORTAL_OIDC_ONLY, settings.PORTAL_BREAK_GLASS = True, ["ada"]
    with pytest.raises(LastAdminError):
        switch_off(SETUP, ada)


def test_where_there_is_none_nothing_is_refused() -> None:
    eve = create_person(SETUP, "eve", "eve@corp.example", PASSWORD)
    switch_off(SETUP, eve)
    switch_on(SETUP, eve)
    assert AuditEvent.objects.filter(verb__in=["person.switched_off", "person.switched_on"]).count() == 2


# --- in the admin -------------------------------------------------------------------------------------------------
@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada, backend=ALLAUTH)
    return client


def form(user: User, *, keep_role: bool = True, **changes: Any) -> dict[str, Any]:
    """What the page of a person sends."""
    grants = list(RoleGrant.objects.filter(user=user))
    sent: dict[str, Any] = {
        "username": user.username, "email": user.email, "first_name": "Ada", "last_name": "", "is_active": "on",
        "role_grants-TOTAL_FORMS": len(grants), "role_grants-INITIAL_FORMS": len(grants),
        "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
        "socialaccount_set-TOTAL_FORMS": 0, "socialaccount_set-INITIAL_FORMS": 0,
    }  # fmt: skip
    for place, grant in enumerate(grants):
        sent |= {f"role_grants-{place}-{name}": value for name, value in
                 (("id", grant.pk), ("user", user.pk), ("role", grant.role))}  # fmt: skip
        if not keep_role:
            sent[f"role_grants-{place}-DELETE"] = "on"
    sent |= changes
    return {name: value for name, value in sent.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"is_active": None},
        {"keep_role": False},
        {"role_grants-0-role": "auditor"},
    ],
)
def test_the_page_of_a_person_says_no_and_keeps_what_was_typed(
    browser: Client, ada: User, changes: dict[str, Any]
) -> None:
    recorded = AuditEvent.objects.count()
    answer = browser.post(f"/admin/users/user/{ada.pk}/change/", form(ada, last_name="Lovelace", **changes))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert SENTENCE in page
    assert 'value="Lovelace"' in page
    assert "was changed successfully" not in page
    kept = User.objects.get(pk=ada.pk)
    assert (kept.is_platform_admin, kept.last_name) == (True, "")
    assert (AuditEvent.objects.count(), LogEntry.objects.count()) == (recorded, 0)


def test_the_page_still_saves_everything_else(browser: Client, ada: User) -> None:
    answer = browser.post(f"/admin/users/user/{ada.pk}/change/", form(ada, last_name="Lovelace"))
    assert answer.status_code == 302, answer.content.decode()
    assert User.objects.get(pk=ada.pk).last_name == "Lovelace"


def test_a_superuser_can_be_made_less_only_while_another_remains(browser: Client, ada: User) -> None:
    RoleGrant.objects.all().delete()
    User.objects.update(is_superuser=True)
    assert SENTENCE in browser.post(f"/admin/users/user/{ada.pk}/change/", form(ada)).content.decode()
    assert User.objects.get(pk=ada.pk).is_superuser
    admin("eve")
    assert browser.post(f"/admin/users/user/{ada.pk}/change/", form(ada)).status_code == 302
    assert not User.objects.get(pk=ada.pk).is_superuser


@pytest.mark.parametrize(
    ("place", "sent"),
    [
        ("{}/delete/", {"post": "yes"}),
        ("", {"action": "delete_selected", "_selected_action": "{}", "post": "yes"}),
        ("{}/password/", {"usable_password": "false", "unset-password": "1"}),
    ],
)
def test_deleting_and_taking_the_password_are_refused(
    browser: Client, ada: User, place: str, sent: dict[str, str]
) -> None:
    recorded = AuditEvent.objects.count()
    form = {name: value.format(ada.pk) for name, value in sent.items()}
    answer = browser.post(f"/admin/users/user/{place.format(ada.pk)}", form, follow=True)
    page = answer.content.decode()
    assert SENTENCE in page
    assert "uccessfully" not in page
    assert User.objects.get(pk=ada.pk).has_usable_password()
    assert (AuditEvent.objects.count(), LogEntry.objects.count()) == (recorded, 0)


def test_deleting_all_at_once_is_refused_whole(browser: Client, ada: User) -> None:
    eve = admin("eve")
    form = {"action": "delete_selected", "_selected_action": [str(ada.pk), str(eve.pk)], "post": "yes"}
    assert SENTENCE in browser.post("/admin/users/user/", form, follow=True).content.decode()
    assert User.objects.count() == 2


def test_one_of_two_is_deleted_from_the_list(browser: Client, ada: User) -> None:
    eve = admin("eve")
    browser.post("/admin/users/user/", {"action": "delete_selected", "_selected_action": str(eve.pk), "post": "yes"})
    assert list(User.objects.all()) == [ada]


def test_the_only_connection_of_the_only_admin_stays(browser: Client, ada: User, settings: Any) -> None:
    settings.PORTAL_OIDC_PROVIDERS = {"company": OidcProvider("company", "https://login.example", "x", title="Company")}
    ada.set_unusable_password()
    ada.save()
    browser.force_login(ada, backend=ALLAUTH)
    row = SocialAccount.objects.create(user=ada, provider="company", uid="1", extra_data={"sub": "ada-at-work"})
    place = f"/admin/users/user/{ada.pk}/change/"
    assert "ada-at-work" in browser.get(place).content.decode()
    sent = {
        "socialaccount_set-TOTAL_FORMS": 1, "socialaccount_set-INITIAL_FORMS": 1, "socialaccount_set-0-id": row.pk,
        "socialaccount_set-0-user": ada.pk, "socialaccount_set-0-DELETE": "on",
    }  # fmt: skip
    assert SENTENCE in browser.post(place, form(ada, **sent)).content.decode()
    assert SocialAccount.objects.exists()
    admin("eve")
    assert browser.post(place, form(ada, **sent)).status_code == 302
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(verb="socialaccount.deleted").count() == 1


# --- at the same moment -------------------------------------------------------------------------------------------
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["role", "off", "delete"])
def test_two_who_remove_each_other_leave_one(in_threads: InThreads, way: str) -> None:
    ada, eve = admin("ada"), admin("eve")
    do: dict[str, Callable[[User, User], None]] = {
        "role": lambda who, whom: revoke_role(who.actor, whom, Role.PLATFORM_ADMIN),
        "off": lambda who, whom: switch_off(who.actor, whom),
        "delete": lambda who, whom: delete_person(who.actor, whom),
    }

    def remove(who: User, whom: User) -> str:
        try:
            do[way](who, whom)
        except LastAdminError:
            return "refused"
        return "done"

    ended = in_threads(lambda: remove(ada, eve), lambda: remove(eve, ada))
    assert sorted(ended) == ["done", "refused"]
    assert is_there_an_admin()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_remove_each_other_on_their_pages_leave_one(in_threads: InThreads) -> None:
    ada, eve = admin("ada"), admin("eve")

    def remove(who: User, whom: User) -> int:
        client = Client()
        client.force_login(who, backend=ALLAUTH)
        return client.post(f"/admin/users/user/{whom.pk}/change/", form(whom, is_active=None)).status_code

    ended = in_threads(lambda: remove(ada, eve), lambda: remove(eve, ada))
    assert sorted(ended) in ([200, 302], [302, 302])  # a session that has ended meanwhile is led to the login page
    assert User.objects.filter(is_active=True).count() == 1


def test_a_role_is_taken_once_and_recorded(ada: User) -> None:
    admin("eve")
    grant_role(SETUP, ada, Role.AUDITOR)
    revoke_role(SETUP, ada, Role.AUDITOR)
    revoke_role(SETUP, ada, Role.AUDITOR)
    assert AuditEvent.objects.filter(verb="role.revoked").count() == 1
