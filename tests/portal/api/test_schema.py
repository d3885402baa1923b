"""The schema is the contract with CI, and its page loads nothing from elsewhere."""

import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page

from portal.api.urls import catalog, granting, promotion, rest
from tests.portal.api.office import Office


def test_the_schema_is_valid_and_complete(db: None, tmp_path: object) -> None:
    target = f"{tmp_path}/schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", target)
    with open(target) as file:
        schema = yaml.safe_load(file)
    served = {path for path in schema["paths"] if path.startswith("/api/v1/")}
    assert len(served) == len(catalog) + len(promotion) + len(granting) + len(rest)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path} says not what it is for"
            assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert schema["components"]["securitySchemes"]["secret"]["scheme"] == "bearer"


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/?script=1"])
def test_the_page_of_the_docs_stays_within_its_policy(office: Office, path: str) -> None:
    client = Client()
    client.force_login(office.world.people["alice"], "allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(path)
    text = page.content.decode()
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "script-src" not in policy or "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text), "an inline script would be blocked"
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    assert all(address.startswith("/") for address in addresses), addresses


def test_the_files_of_the_docs_page_are_ours(office: Office) -> None:
    client = Client()
    client.force_login(office.world.people["alice"], "allauth.account.auth_backends.AuthenticationBackend")
    text = client.get("/api/docs/").content.decode()
    files = re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", text)
    assert len(files) >= 3
    for address in files:
        answer = client.get(address)
        assert answer.status_code == 200
        answer.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_docs_open_in_a_real_browser(live_server: Any, page: Page, db: None) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/api/docs/")
    page.get_by_text("Ask for a promotion").first.wait_for(timeout=20_000)
    assert not complaints
