"""Stop something for a while, by hand: who may, what it stops, what pages say, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role
from portal.users.models import Role
from registries.access.explain import explain
from registries.access.models import Restriction
from registries.access.principals import SYSTEM_PRINCIPALS, system_principal
from registries.access.restrictions import (
    NotOursToEndError,
    end_restriction,
    stopped_at,
    stopped_for,
    stopped_in,
    stopped_words,
)
from registries.access.tokens import mint_for_job
from registries.oci.errors import Denied
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.registries.access.cast import ADMIN, make_person, make_registry

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NOW = timezone.now()


@pytest.fixture
def prod() -> Registry:
    return make_registry("prod")


@pytest.fixture
def ci() -> Registry:
    return make_registry("ci-snapshots")


def restriction(**fields: Any) -> Restriction:
    values: dict[str, Any] = {"code": "freeze", "reason": "the year is closed", "starts_at": NOW - timedelta(hours=1)}
    return Restriction(**values | fields)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"forbids_push": False}, "forbids_push"),
        ({"ends_at": NOW - timedelta(hours=2)}, "ends_at"),
        ({"ends_at": NOW - timedelta(hours=1)}, "ends_at"),
        ({"pattern": "  "}, "pattern"),
    ],
)
def test_what_forbids_nothing_or_never_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        restriction(**fields).full_clean()
    assert field in caught.value.message_dict


def test_a_zone_and_a_registry_of_another_are_refused(prod: Registry, ci: Registry) -> None:
    with pytest.raises(ValidationError, match="prod stands in prod"):
        restriction(zone=ci.zone, registry=prod).full_clean()
    restriction(zone=prod.zone, registry=prod).full_clean()
    restriction().full_clean()


FORM = {"reason": "the year is closed", "pattern": "**", "starts_at_0": "2026-01-01", "starts_at_1": "00:00"}


@pytest.mark.parametrize(
    ("preset", "code", "actions"),
    [
        ("freeze", "freeze", ("push",)),
        ("read_only", "read_only", ("push", "delete")),
        ("quarantine", "quarantine", ("pull", "push", "delete")),
        ("other", "other", ("pull",)),
    ],
)
@pytest.mark.parametrize("role", [Role.PLATFORM_ADMIN, Role.SECURITY])
def test_a_word_says_what_is_stopped(
    client: Client, prod: Registry, role: Role, preset: str, code: str, actions: tuple[str, ...]
) -> None:
    olga = make_person("olga")
    grant_role(ADMIN, olga, role)
    client.force_login(olga)
    form = {**FORM, "preset": preset, "registry": prod.pk, "forbids_pull": "on"}
    assert client.post("/admin/access/restriction/add/", form).status_code == 302
    row = Restriction.objects.get()
    assert (row.code, row.actions) == (code, actions)
    assert AuditEvent.objects.get(verb="restriction.created").actor_name == "olga"


@pytest.mark.parametrize("role", [Role.RELEASE_MANAGER, Role.AUDITOR])
def test_nobody_else_stops_or_ends_anything(client: Client, prod: Registry, role: Role) -> None:
    olga = make_person("olga")
    grant_role(ADMIN, olga, role)
    client.force_login(olga)
    row = restriction(registry=prod)
    row.save()
    assert client.post("/admin/access/restriction/add/", {**FORM, "preset": "freeze"}).status_code == 403
    assert client.post(f"/restrictions/{row.pk}/end/").status_code == 403
    client.post("/admin/access/restriction/", {"action": "end_selected", "_selected_action": row.pk})
    row.refresh_from_db()
    assert row.ends_at is None


def test_an_end_before_the_start_is_said_in_the_form(client: Client, prod: Registry) -> None:
    ada = make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    client.force_login(ada)
    form = {**FORM, "preset": "other", "ends_at_0": "2025-12-31", "ends_at_1": "00:00"}
    page = client.post("/admin/access/restriction/add/", form).content.decode()
    assert "It would end before it starts." in page
    assert "Forbid at least one action." in page
    assert not Restriction.objects.exists()


def test_it_is_ended_early_and_on_record(prod: Registry) -> None:
    row = restriction(registry=prod, ends_at=NOW + timedelta(days=3))
    row.save()
    assert end_restriction(ADMIN, row, NOW)
    assert stopped_at(prod, NOW) == []
    event = AuditEvent.objects.get(verb="restriction.ended")
    assert event.detail["planned_end"].startswith(f"{NOW + timedelta(days=3):%Y-%m-%d}")
    assert not end_restriction(ADMIN, row, NOW + timedelta(minutes=1))
    assert AuditEvent.objects.filter(verb="restriction.ended").count() == 1


def test_one_that_has_not_begun_never_begins(prod: Registry) -> None:
    row = restriction(registry=prod, starts_at=NOW + timedelta(days=1))
    row.save()
    assert end_restriction(ADMIN, row, NOW)
    assert not row.is_in_force(NOW + timedelta(days=2))


def test_what_something_else_wrote_ends_with_it(client: Client, prod: Registry) -> None:
    ada = make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    client.force_login(ada)
    row = restriction(registry=prod, code="quota", source_label="quota", source_key="prod")
    row.save()
    with pytest.raises(NotOursToEndError):
        end_restriction(ADMIN, row, NOW)
    assert client.post(f"/restrictions/{row.pk}/end/").status_code == 403
    page = client.post(
        "/admin/access/restriction/", {"action": "end_selected", "_selected_action": row.pk}, follow=True
    )
    assert "end with what wrote them" in page.content.decode()
    client.post(f"/admin/access/restriction/{row.pk}/change/", {**FORM, "preset": "freeze"})
    row.refresh_from_db()
    assert (row.code, row.ends_at) == ("quota", None)


def test_what_is_in_force_is_ended_and_not_deleted(client: Client, prod: Registry) -> None:
    ada = make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    client.force_login(ada)
    row = restriction(registry=prod)
    row.save()
    address = f"/admin/access/restriction/{row.pk}/delete/"
    assert client.post(address, {"post": "yes"}).status_code == 403
    client.post("/admin/access/restriction/", {"action": "end_selected", "_selected_action": row.pk})
    row.refresh_from_db()
    assert row.ends_at is not None
    assert client.post(address, {"post": "yes"}).status_code == 302


def test_what_is_stopped_is_found_where_it_holds(prod: Registry, ci: Registry) -> None:
    rows = {
        "everywhere": restriction(),
        "zone": restriction(zone=prod.zone, pattern="payments/**"),
        "registry": restriction(registry=prod, pattern="shop/*"),
        "past": restriction(registry=prod, ends_at=NOW),
        "to come": restriction(registry=prod, starts_at=NOW + timedelta(seconds=1)),
    }
    for row in rows.values():
        row.save()

    def named(found: list[Restriction]) -> set[str]:
        return {name for name, row in rows.items() if row in found}

    assert named(stopped_at(prod, NOW)) == {"everywhere", "zone", "registry"}
    assert named(stopped_at(ci, NOW)) == {"everywhere"}
    assert named(stopped_in(prod.zone, NOW)) == {"everywhere", "zone", "registry"}
    assert named(stopped_for(prod, "payments", NOW)) == {"everywhere", "zone"}
    assert named(stopped_for(prod, "shop/web/x", NOW)) == {"everywhere"}


def test_what_is_stopped_is_just_what_the_policy_refuses(prod: Registry) -> None:
    restriction(registry=prod, pattern="payments/**", forbids_delete=True).save()
    for name in ("payments", "payments/api", "payments-b/api"):
        said = {action for row in stopped_for(prod, name, NOW) for action in row.actions}
        for action, principal in (("push", "pipeline"), ("delete", "cleaner"), ("pull", "sync")):
            found = explain(system_principal(principal), action, prod, name, NOW)
            assert (found.code == "freeze") == (action in said)


@pytest.mark.parametrize("principal", SYSTEM_PRINCIPALS)
def test_our_own_jobs_are_refused_with_the_reason(ci: Registry, principal: str) -> None:
    restriction(registry=ci, forbids_pull=True, reason="the disk is being moved").save()
    with pytest.raises(Denied, match=r"the disk is being moved|may not pull"):
        mint_for_job(principal, ci, [Scope.repository("payments/api", "pull")])


@pytest.mark.parametrize(
    ("actions", "text"),
    [
        (("push",), "pushes"),
        (("push", "delete"), "pushes and deletions"),
        (("pull", "push", "delete"), "pulls, pushes and deletions"),
    ],
)
def test_actions_are_said_in_words(actions: tuple[str, ...], text: str) -> None:
    assert stopped_words(actions) == text
