"""Every page of the admin, whoever wrote it: it opens, however many rows there are, for those who may, and no further."""

import re
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.admin_site import site
from portal.users.models import Role, RoleGrant, User
from tests.portal.any_row import make_row, make_rows

PAGES: list[ModelAdmin] = sorted(site._registry.values(), key=lambda page: page.opts.label_lower)  # type: ignore[type-arg]
# Of a list with a few rows more; the theme's own (session, person, roles, counts) are among them.
QUERIES_OF_A_LIST = 30
QUERIES_OF_A_FORM = 60

# Nothing that a person would look for.
BOOKKEEPING = {
    "http.idempotencyrecord", "access.policyepoch", "catalog.manifestbody", "replication.repositoryreading",
    "sentinel.repositorylook",
}  # fmt: skip

pytestmark = pytest.mark.django_db
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label_lower)


def person(name: str, *roles: Role, is_superuser: bool = False) -> User:
    """Without a password, whose hashing would take longer than the test."""
    user = User.objects.create(username=name, email=f"{name}@corp.example", is_superuser=is_superuser)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in(person("admin", Role.PLATFORM_ADMIN, is_superuser=True))


@pytest.fixture
def auditor() -> Client:
    return signed_in(person("auditor", Role.AUDITOR))


@pytest.fixture
def outsider() -> Client:
    return signed_in(person("outsider"))


def address(page: ModelAdmin, what: str, *arguments: object) -> str:  # type: ignore[type-arg]
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{what}", args=arguments)


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, follow=True)
    assert answer.status_code == 200, f"{url} answers {answer.status_code}"
    return len(queries)


def refused(answer: Any) -> bool:
    return answer.status_code in {403, 404, 405}


@every_page
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(page: ModelAdmin, admin: Client) -> None:  # type: ignore[type-arg]
    make_rows(page.model, 2)
    url = address(page, "changelist")
    admin.get(url)
    few = count_queries(admin, url)
    make_rows(page.model, 8)
    many = count_queries(admin, url)
    assert many <= few, f"{page}: {few} queries for 2 rows, {many} for 10"
    assert many <= QUERIES_OF_A_LIST


@every_page
def test_a_list_can_be_searched_for_anything(page: ModelAdmin, admin: Client) -> None:  # type: ignore[type-arg]
    make_row(page.model)
    for wanted in ("100%_'\"\\ünder", "sha256:zz"):
        assert admin.get(address(page, "changelist"), {"q": wanted}).status_code == 200


@every_page
def test_a_list_can_be_filtered_by_everything_it_offers(page: ModelAdmin, admin: Client) -> None:  # type: ignore[type-arg]
    make_rows(page.model, 2)
    url = address(page, "changelist")
    links = sorted(set(re.findall(r'href="(\?[^"]+)"', admin.get(url).content.decode())))
    one_of_each = {link.partition("=")[0]: link for link in links if not link.startswith("?o=")}
    for link in one_of_each.values():
        assert admin.get(url + link.replace("&amp;", "&")).status_code == 200, link


@every_page
def test_a_row_can_be_opened(page: ModelAdmin, admin: Client) -> None:  # type: ignore[type-arg]
    row = make_row(page.model)
    assert count_queries(admin, address(page, "change", row.pk)) <= QUERIES_OF_A_FORM


@every_page
def test_the_form_for_a_new_row_opens_or_is_refused(page: ModelAdmin, admin: Client) -> None:  # type: ignore[type-arg]
    with CaptureQueriesContext(connection) as queries:
        answer = admin.get(address(page, "add"))
    assert answer.status_code in {200, 403}
    assert len(queries) <= QUERIES_OF_A_FORM


@every_page
def test_an_auditor_sees_it_and_changes_nothing(page: ModelAdmin, auditor: Client) -> None:  # type: ignore[type-arg]
    row = make_row(page.model)
    rows = page.model._default_manager.order_by("pk")
    change, before = address(page, "change", row.pk), list(rows.values())
    for url in (address(page, "changelist"), change):
        assert auditor.get(url, follow=True).status_code == 200
    assert refused(auditor.post(address(page, "add"), {}))
    auditor.post(change, {"name": "mine-now", "reason": "mine-now", "state": "done"})
    assert refused(auditor.post(address(page, "delete", row.pk), {"post": "yes"}))
    auditor.post(address(page, "changelist"), {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert list(rows.values()) == before


@every_page
def test_an_auditor_is_offered_no_action(page: ModelAdmin, auditor: Client) -> None:  # type: ignore[type-arg]
    make_row(page.model)
    listed = auditor.get(address(page, "changelist")).content.decode()
    assert set(
        re.findall(r'<option value="(\w+)"[^>]*>', listed.partition('name="action"')[2].partition("</select>")[0])
    ) <= {""}


@every_page
def test_people_without_a_role_and_strangers_are_kept_out(page: ModelAdmin, outsider: Client) -> None:  # type: ignore[type-arg]
    row = make_row(page.model)
    for url in (address(page, "changelist"), address(page, "add"), address(page, "change", row.pk)):
        assert outsider.get(url, follow=True).status_code == 403
        turned_away = Client().get(url, follow=True)
        assert turned_away.redirect_chain[-1][0].startswith("/accounts/login/")


def test_the_guard_looks_at_every_model_of_ours() -> None:
    from django.apps import apps

    ours = {
        model for model in apps.get_models() if model.__module__.split(".")[0] in {"portal", "registries", "promotions"}
    }
    inlines = {inline.model for page in PAGES for inline in page.inlines}
    missing = {model._meta.label_lower for model in ours - set(site._registry) - inlines}
    assert missing <= BOOKKEEPING


def test_the_guard_can_fail(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that looks up a related row for each of its own is noticed."""
    page = next(page for page in PAGES if page.opts.label_lower == "topology.registry")
    monkeypatch.setattr(page, "list_select_related", False)
    monkeypatch.setattr(page, "list_display", ["name", "role_label", lambda registry: str(registry.zone.concern)])
    with pytest.raises(AssertionError, match="queries for 2 rows"):
        test_a_list_takes_as_many_queries_for_many_rows_as_for_few(page, admin)
