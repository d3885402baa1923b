"""Every page opens, for everybody it is meant for, with few queries, and leads nowhere that does not exist."""

import re
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.portal.web.cast import Company, repository, tagged
from tests.portal.web.conftest import SignIn

PAGES = (
    "/",
    "/fragments/map/",
    "/fragments/moves/",
    "/registries/",
    "/registries/prod/",
    "/registries/sandbox/",
    "/repositories/",
    "/r/ci-snapshots/payments/api/",
    "/r/ci-snapshots/payments/api:1.4.0/",
    "/search/",
    "/search/?q=payments",
    "/promotions/",
    "/inbox/",
    "/my/access/",
    "/my/access/?by=registry",
    "/access/requests/",
    "/access/requests/?show=waiting",
    "/access/requests/?show=all&state=waiting&registry=prod&q=pay",
    "/access/requests/new/",
    "/access/requests/new/?registry=prod&repository=finance/ledger&action=pull",
    "/teams/",
    "/teams/?q=pay&mine=yes",
    "/teams/payments/",
    "/my/clients/",
    "/my/clients/?location=eu&for=podman",
    "/my/clients/?location=eu&for=containerd",
    "/my/clients/?location=eu&for=kubernetes",
    "/explain/",
    "/explain/?who=alice&action=push&registry=prod&repository=payments/api",
)
MOST_QUERIES = 40


class Reader(HTMLParser):
    """Collects where a page leads, and what a strict content policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.refused: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.headings += tag == "h1"
        if tag == "a" and (names.get("href") or "").startswith("/"):
            self.links.add(str(names["href"]))
        is_inline = (tag == "script" and "src" not in names) or tag == "style"
        if is_inline or "style" in names or any(name.startswith("on") for name in names):
            self.refused.append(self.get_starttag_text() or tag)


def read(client: Client, address: str) -> Reader:
    answer = client.get(address)
    assert answer.status_code == 200, address
    reader = Reader()
    reader.feed(answer.content.decode())
    return reader


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("name", ["alice", "rita", "ada"])
def test_pages_open_with_few_queries(company: Company, signed_in: SignIn, name: str, address: str) -> None:
    client = signed_in(getattr(company, name))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reader = read(client, address)
    assert len(queries) <= MOST_QUERIES, [query["sql"][:150] for query in queries]
    assert reader.refused == []
    assert reader.headings == (0 if "fragments" in address else 1)


@pytest.mark.parametrize("address", ["/", "/repositories/", "/r/ci-snapshots/payments/api/", "/registries/"])
def test_more_rows_need_no_more_queries(company: Company, signed_in: SignIn, address: str) -> None:
    client = signed_in(company.ada)
    client.get(address)  # what is read once per process
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(12):
        tagged(repository(company.snapshots, f"web/svc-{number}"), "1.0")
        tagged(company.snapshot.repository, f"2.{number}")
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) <= len(few)


def test_every_link_leads_somewhere(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    links = set[str]().union(*(read(client, address).links for address in PAGES))
    ours = {link for link in links if not link.startswith(("/static/", "/admin/", "/api/"))}
    assert len(ours) > 15
    for link in sorted(ours):
        assert client.get(link).status_code == 200, link


def test_strangers_are_led_to_the_login_page(company: Company) -> None:
    for address in PAGES:
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_the_content_policy_allows_nothing_inline(company: Company, signed_in: SignIn) -> None:
    policy = signed_in(company.alice).get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_only_people_with_a_role_are_shown_the_admin(company: Company, signed_in: SignIn) -> None:
    assert "/admin/" not in signed_in(company.alice).get("/").content.decode()
    assert 'href="/admin/"' in signed_in(company.rita).get("/").content.decode()


def test_an_empty_portal_teaches_the_first_step(db: None, signed_in: SignIn) -> None:
    from tests.portal.web.cast import person

    client = signed_in(person("first"))
    assert "manage.py topology plan" in client.get("/").content.decode()
    assert "manage.py sync_catalog" in client.get("/repositories/").content.decode()
    assert "Nothing was ever promoted" in client.get("/promotions/").content.decode()


def test_what_is_written_in_rows_is_never_taken_for_markup(company: Company, signed_in: SignIn) -> None:
    company.prod.title = "<script>alert(1)</script>"
    company.prod.save()
    company.prod.health.state, company.prod.health.message = "broken", "<b>bold</b> & more"
    company.prod.health.save()
    page = signed_in(company.ada).get("/").content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert re.search(r"&lt;b&gt;bold", page)


@pytest.mark.parametrize(
    "path", ["/registries/prod/", "/r/ci-snapshots/payments/api/", "/r/ci-snapshots/payments/api:1.4.0/", "digest"]
)
def test_who_is_let_into_the_admin_finds_the_way_there(company: Company, signed_in: SignIn, path: str) -> None:
    where = path if path != "digest" else f"/digests/{company.snapshot.manifest.digest}/"
    reader = Reader()
    page = signed_in(company.rita).get(where).content.decode()
    reader.feed(page)
    there = [link for link in reader.links if link.startswith("/admin/") and link.endswith("/change/")]
    assert len(there) == 1
    assert signed_in(company.rita).get(there[0]).status_code == 200
    assert "In the admin" not in signed_in(company.alice).get(where).content.decode()
