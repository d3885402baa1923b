"""Lists: filters and order in the address, pages by key, the same rows as CSV and JSON."""

import csv
import io
import json
import re
from base64 import urlsafe_b64encode
from html import unescape

import pytest
from django.test import Client

from tests.portal.web.cast import Company, repository
from tests.portal.web.conftest import SignIn


def names(client: Client, address: str) -> list[str]:
    page = client.get(address).content.decode()
    return re.findall(r'<th scope="row"><a href="/r/[^"]+">([^<]+)</a>', page)


def walk(client: Client, address: str) -> list[str]:
    """All pages, by following "Next page"."""
    found: list[str] = []
    for _ in range(20):
        found += names(client, address)
        page = client.get(address).content.decode()
        following = re.search(r'href="(\?[^"]+)" rel="next"', page)
        if following is None:
            return found
        address = "/repositories/" + unescape(following[1])
    raise AssertionError("the pages never end")


def test_every_row_comes_once_whatever_the_order(company: Company, signed_in: SignIn) -> None:
    for number in range(120):
        repository(company.sandbox, f"many/r{number:03}", size_bytes=number % 7)
    client = signed_in(company.ada)
    for sort in ("name", "-name", "size_bytes", "-size_bytes", "moved", "-moved", "tags", "registry"):
        rows = walk(client, f"/repositories/?q=many&sort={sort}")
        assert len(rows) == 120, sort
        assert len(set(rows)) == 120, sort


def test_rows_without_a_value_come_last_both_ways(company: Company, signed_in: SignIn) -> None:
    repository(company.sandbox, "never/moved")
    client = signed_in(company.ada)
    assert names(client, "/repositories/?sort=moved")[-1] == "never/moved"
    assert names(client, "/repositories/?sort=-moved")[-1] == "never/moved"


def test_filters_are_kept_while_sorting_and_exporting(company: Company, signed_in: SignIn) -> None:
    page = unescape(signed_in(company.ada).get("/repositories/?registry=prod&q=api").content.decode())
    assert "?registry=prod&q=api&sort=-name" in page
    assert "?registry=prod&q=api&format=csv" in page


def test_an_unknown_order_is_the_usual_one(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.ada)
    assert names(client, "/repositories/?sort=password") == names(client, "/repositories/")


def test_a_cursor_that_was_made_up_is_refused(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.ada)
    for cursor in ("x", "%00", "W10=", "WzEsICJhIl0=", "e30=", "bnVsbA=="):
        assert client.get(f"/repositories/?after={cursor}").status_code == 400, cursor


@pytest.mark.parametrize("made_up", ["[[[", "abc", 1e999, 10**30, {"a": 1}, [1], "\0", "\ud800", "2020-13-45T00:00:00"])
@pytest.mark.parametrize("sort", ["name", "moved", "-size_bytes", "tags"])
def test_whatever_a_cursor_says_the_answer_is_a_page_or_a_refusal(
    company: Company, signed_in: SignIn, sort: str, made_up: object
) -> None:
    client = signed_in(company.ada)
    for said in ([made_up, 1], ["payments/api", made_up]):
        cursor = urlsafe_b64encode(json.dumps(said).encode()).decode()
        assert client.get("/repositories/", {"sort": sort, "after": cursor}).status_code in (200, 400)


def test_json_has_the_rows_that_the_page_has(company: Company, signed_in: SignIn) -> None:
    rows = signed_in(company.ada).get("/repositories/?registry=prod&format=json").json()["rows"]
    assert [row["name"] for row in rows] == ["finance/ledger", "payments/api"]
    assert rows[0]["tags"] == 1


def test_csv_opens_as_text_never_as_a_formula(company: Company, signed_in: SignIn) -> None:
    company.prod.product = "=cmd|' /C calc'!A0"
    company.prod.save()
    answer = signed_in(company.ada).get("/registries/?format=csv")
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(body)))
    assert next(row for row in rows if row["name"] == "prod")["product"] == "'=cmd|' /C calc'!A0"
    assert answer["Content-Type"].startswith("text/csv")


def test_an_export_shows_no_more_than_the_page(company: Company, signed_in: SignIn) -> None:
    rows = signed_in(company.charlie).get("/repositories/?format=json").json()["rows"]
    assert {row["registry"] for row in rows} == {"sandbox", "ci-snapshots"}
