"""What is done in the admin leaves a trace, and who may do it is said by roles."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.jobs.models import HostPause
from portal.users.models import Membership, Role, RoleGrant, Team, User
from tests.portal.test_admin_pages import person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
# As in real life: the test wraps no transaction around what the page does.
unwrapped = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    return signed_in(person("admin", Role.PLATFORM_ADMIN))


def form_of(client: Client, url: str) -> dict[str, str]:
    """What a browser would send back if nothing were touched."""
    fields: dict[str, str] = {}
    page = client.get(url).context
    forms = [page["adminform"].form, *(formset.formset.management_form for formset in page["inline_admin_formsets"])]
    forms += [form for formset in page["inline_admin_formsets"] for form in formset.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False and not bound.field.disabled:
                widget = bound.field.widget
                fields |= (
                    {f"{bound.html_name}_0": str(value)[:10], f"{bound.html_name}_1": str(value)[11:19]}
                    if hasattr(widget, "widgets")
                    else {bound.html_name: str(value)}
                )
    return fields


def trace() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("actor_name", "verb", "object_name"))


def test_what_is_made_changed_and_removed_is_recorded(admin: Client) -> None:
    url = reverse("admin:users_team_add")
    assert admin.post(url, form_of(admin, url) | {"name": "payments"}).status_code == 302
    team = Team.objects.get()
    url = reverse("admin:users_team_change", args=[team.pk])
    assert admin.post(url, form_of(admin, url) | {"title": "Payments"}).status_code == 302
    assert AuditEvent.objects.get(verb="team.changed").detail == {"fields": ["title"]}
    assert admin.post(reverse("admin:users_team_delete", args=[team.pk]), {"post": "yes"}).status_code == 302
    assert trace() == [
        ("admin", "team.created", "payments"),
        ("admin", "team.changed", "payments"),
        ("admin", "team.deleted", "payments"),
    ]
    assert AuditEvent.objects.get(verb="team.deleted").object_key == str(team.pk)


@unwrapped
def test_many_removed_at_once_are_recorded_one_by_one(admin: Client) -> None:
    teams = [Team.objects.create(name=name) for name in ("payments", "search")]
    selected = {"action": "delete_selected", "_selected_action": [team.pk for team in teams], "post": "yes"}
    assert admin.post(reverse("admin:users_team_changelist"), selected).status_code == 302
    assert not Team.objects.exists()
    assert sorted(trace()) == [("admin", "team.deleted", "payments"), ("admin", "team.deleted", "search")]


@unwrapped
def test_a_role_given_and_taken_is_recorded_with_its_name(admin: Client) -> None:
    bob = person("bob")
    url = reverse("admin:users_user_change", args=[bob.pk])
    given = {"role_grants-TOTAL_FORMS": "1", "role_grants-0-user": str(bob.pk), "role_grants-0-role": "security"}
    answer = admin.post(url, form_of(admin, url) | given)
    assert answer.status_code == 302, answer.context["errors"]
    assert ("admin", "rolegrant.created", "bob: security") in trace()
    taken = form_of(admin, url) | {"role_grants-0-DELETE": "on"}
    assert admin.post(url, taken).status_code == 302
    assert not RoleGrant.objects.filter(user=bob).exists()
    event = AuditEvent.objects.get(verb="rolegrant.deleted")
    assert event.object_name == "bob: security"
    assert event.object_key != "None"


def test_a_member_made_maintainer_is_recorded(admin: Client) -> None:
    team, bob = Team.objects.create(name="payments"), person("bob")
    Membership.objects.create(team=team, user=bob)
    url = reverse("admin:users_team_change", args=[team.pk])
    assert admin.post(url, form_of(admin, url) | {"memberships-0-role": "maintainer"}).status_code == 302
    event = AuditEvent.objects.get(verb="membership.changed")
    assert (event.object_name, event.detail) == ("bob in payments", {"fields": ["role"]})


@unwrapped
def test_a_password_set_by_an_admin_is_recorded_and_not_told(admin: Client) -> None:
    bob = person("bob")
    url = reverse("admin:auth_user_password_change", args=[bob.pk])
    assert admin.post(url, {"password1": "staple battery 7", "password2": "other"}).status_code == 200
    assert trace() == []
    new = {"password1": "staple battery 7", "password2": "staple battery 7", "usable_password": "true"}
    assert admin.post(url, new).status_code == 302
    assert trace() == [("admin", "user.password_changed", "bob")]
    assert "staple" not in str(AuditEvent.objects.values())
    bob.refresh_from_db()
    assert bob.check_password("staple battery 7")


def test_an_address_is_vouched_for_by_entering_it_and_by_nothing_else(admin: Client) -> None:
    bob = person("bob")
    EmailAddress.objects.create(user=bob, email=bob.email, verified=False, primary=True)
    url = reverse("admin:users_user_change", args=[bob.pk])
    assert admin.post(url, form_of(admin, url) | {"first_name": "Bob"}).status_code == 302
    assert not EmailAddress.objects.get(user=bob).verified
    assert admin.post(url, form_of(admin, url) | {"email": "robert@corp.example"}).status_code == 302
    assert EmailAddress.objects.get(user=bob, primary=True, verified=True).email == "robert@corp.example"


def test_an_address_of_somebody_else_is_refused_in_the_form(admin: Client) -> None:
    bob, carol = person("bob"), person("carol")
    EmailAddress.objects.create(user=carol, email="second@corp.example", verified=True, primary=False)
    url = reverse("admin:users_user_change", args=[bob.pk])
    answer = admin.post(url, form_of(admin, url) | {"email": "second@corp.example"})
    assert answer.status_code == 200
    assert "Somebody else has proved" in answer.content.decode()


def test_a_refused_form_leaves_no_trace(admin: Client) -> None:
    url = reverse("admin:users_team_add")
    answer = admin.post(url, form_of(admin, url) | {"name": "No Team Name"})
    assert answer.status_code == 200
    assert trace() == []


@pytest.mark.parametrize("role", [Role.SECURITY, Role.RELEASE_MANAGER, Role.AUDITOR])
def test_other_roles_look_and_do_not_touch(role: Role) -> None:
    somebody = signed_in(person("somebody", role))
    pause = HostPause.objects.create(host="h.example", until=timezone.now(), reason="429")
    assert somebody.get(reverse("admin:index")).status_code == 200
    assert somebody.post(reverse("admin:users_team_add"), {"name": "mine"}).status_code == 403
    url = reverse("admin:jobs_hostpause_change", args=[pause.pk])
    assert somebody.get(url).status_code == 200
    assert somebody.post(url, {"reason": "never"}).status_code == 403


def test_a_superuser_has_the_rights_of_a_platform_admin() -> None:
    root = signed_in(person("root", is_superuser=True))
    assert root.get(reverse("admin:users_team_add")).status_code == 200


def test_who_has_lost_every_role_is_out_at_the_next_click(admin: Client) -> None:
    assert admin.get(reverse("admin:index")).status_code == 200
    RoleGrant.objects.all().delete()
    assert admin.get(reverse("admin:index"), follow=True).status_code == 403
    User.objects.update(is_active=False)
    assert admin.get(reverse("admin:index"), follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_after_signing_in_one_is_where_one_wanted_to_go() -> None:
    wanted = reverse("admin:users_team_changelist") + "?q=a&o=1"
    stranger = Client()
    login = stranger.get(wanted, follow=True)
    address = login.redirect_chain[-1][0]
    assert re.fullmatch(r"/accounts/login/\?next=/admin/users/team/%3Fq%3Da%26o%3D1", address)
