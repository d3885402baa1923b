"""The table of roles says of every page of the admin who changes there, and says what is so."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.test import RequestFactory

from portal.admin_site import site
from portal.users.models import Role, RoleGrant, User
from tests.portal.any_row import make_row

DOCUMENT = Path(__file__).parents[2] / "docs" / "roles.md"
PAGES: list[ModelAdmin] = sorted(site._registry.values(), key=lambda page: page.opts.label_lower)  # type: ignore[type-arg]

pytestmark = pytest.mark.django_db


def written() -> dict[str, str]:
    """Page -> who changes, by the table."""
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|[^|]*\|$", DOCUMENT.read_text(), re.MULTILINE)
    return dict(rows)


def who_changes(page: ModelAdmin) -> str:  # type: ignore[type-arg]
    """By asking the page itself, role by role, about some row."""
    row = make_row(page.model)
    found = [role.label for role in Role if _may(page, row, role)]
    return ", ".join(found) or "nobody"


def _may(page: ModelAdmin, row: Any, role: Role) -> bool:  # type: ignore[type-arg]
    user, _ = User.objects.get_or_create(
        username=f"one-{role.value}".replace("_", "-"), email=f"{role.value}@corp.example"
    )
    RoleGrant.objects.get_or_create(user=user, role=role)
    request = RequestFactory().get("/")
    request.user = user
    ways = (page.has_add_permission(request), page.has_change_permission(request), page.has_delete_permission(request))
    return any(ways) or page.has_change_permission(request, row)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label_lower)
def test_the_table_is_true(page: ModelAdmin) -> None:  # type: ignore[type-arg]
    assert written().get(str(page.opts.verbose_name_plural)) == who_changes(page)
