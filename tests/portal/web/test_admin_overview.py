"""The first page of the admin: it says what the lists behind it say, leads everywhere, and takes as many queries for much as for little."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.admin_site import site
from portal.audit.models import AuditEvent
from portal.audit.seal import seal_committed
from portal.users.models import Role
from portal.web.admin_overview import Tile
from portal.web.admin_sections import SECTIONS
from promotions.workflow.models import PromotionRequest
from promotions.workflow.requests import create_request
from registries.access.models import RobotAccount, Secret
from registries.catalog.models import SyncJob
from registries.retention.models import Plan
from registries.topology.models import RegistryHealth
from tests.portal.web.cast import Company, person
from tests.portal.web.conftest import SignIn

pytestmark = pytest.mark.django_db
INDEX = "/admin/"
# Of the page with everything on it, the sidebar's badges among them.
QUERIES = 60
WITHOUT_A_PLACE = {"http.idempotencyrecord"}


@pytest.fixture
def ada(company: Company, signed_in: SignIn) -> Client:
    return signed_in(company.ada)


def tiles(client: Client) -> dict[str, Tile]:
    context = client.get(INDEX).context
    return {tile.title: tile for tile in (*context["waiting_tiles"], *context["wrong_tiles"])}


def trouble(company: Company, number: int = 0) -> None:
    """One of everything that waits or is wrong."""
    now = timezone.now()
    RegistryHealth.objects.filter(registry=company.prod_eu).update(state="broken", message="refused the connection")
    if not number:
        company.deliver("failed", "prod-eu answers 503")
    Plan.objects.create(registry=company.sandbox, state=Plan.State.READY, delete_count=2, created_by="ada")
    Plan.objects.create(registry=company.prod, state=Plan.State.READY, is_preview=True, created_by="ada")
    robot = RobotAccount.objects.create(name=f"shop{number}", team=company.payments)
    for days in (3, 40):
        Secret.objects.create(
            robot=robot, handle=f"h{number}-{days}", secret_hash="0" * 64, expires_at=now + timedelta(days=days)
        )
    SyncJob.objects.create(
        registry=company.prod, repository_name=f"r{number}", state="failed", actor_kind="system", actor_key="sync",
        actor_name="sync", next_run_at=now, finished_at=now,
    )  # fmt: skip
    AuditEvent.objects.create(
        at=now - timedelta(minutes=5), verb="team.changed", actor_kind="user", actor_key="1", actor_name="ada"
    )


def test_a_quiet_house_says_so(ada: Client) -> None:
    assert {tile.state for tile in tiles(ada).values()} == {"well"}


def test_what_waits_and_what_is_wrong_is_counted(company: Company, ada: Client) -> None:
    trouble(company)
    found = {title: (tile.count, tile.state) for title, tile in tiles(ada).items() if tile.count}
    assert found == {
        "Cleanup plans": (1, "attention"),
        "Robot secrets": (1, "attention"),
        "Registries": (1, "broken"),
        "Deliveries": (1, "attention"),
        "Audit events": (1, "broken"),
    }


def test_a_tile_leads_to_a_list_of_just_as_many(company: Company, ada: Client) -> None:
    trouble(company)
    seal_committed()
    for tile in tiles(ada).values():
        answer = ada.get(tile.url)
        assert answer.status_code == 200, tile.url
        assert tile.title == "Audit events" or answer.context["cl"].result_count == tile.count, tile.url


def test_what_failed_since_yesterday_leads_to_just_those_jobs(company: Company, ada: Client) -> None:
    trouble(company)
    kind = next(kind for kind in ada.get(INDEX).context["jobs"] if kind.failed)
    assert ada.get(kind.failed_url).context["cl"].result_count == kind.failed == 1


def test_a_release_manager_sees_what_waits_for_her_word(company: Company, signed_in: SignIn) -> None:
    item = company.snapshot
    made = create_request(
        company.alice.actor, path=company.path, source_repository="payments/api", digest=item.manifest.digest,
        source_tag="1.4.0", target_tags=["1.4.0"], on_behalf_of=company.alice, on_behalf_source="session",
    )  # fmt: skip
    rita, ada = signed_in(company.rita), signed_in(company.ada)
    PromotionRequest.objects.filter(pk=made.pk).update(state="awaiting_approval")
    assert tiles(rita)["For my decision"].count == 1
    assert b"Waiting for your decision" in rita.get(INDEX).content
    assert tiles(ada)["For my decision"].count == 0


def test_it_takes_no_more_queries_for_much_than_for_little(company: Company, ada: Client) -> None:
    trouble(company)
    ada.get(INDEX)
    with CaptureQueriesContext(connection) as few:
        ada.get(INDEX)
    for number in range(1, 6):
        trouble(company, number)
    with CaptureQueriesContext(connection) as many:
        ada.get(INDEX)
    assert len(many) <= len(few) <= QUERIES


def test_every_list_of_the_admin_has_a_place_in_the_index(ada: Client) -> None:
    places = {page.url for section in SECTIONS for page in section.pages if not page.address}
    lists = {
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in site._registry
        if model._meta.label_lower not in WITHOUT_A_PLACE
    }
    assert lists == places


def test_the_sidebar_says_what_waits_and_marks_only_where_one_is(company: Company, ada: Client) -> None:
    trouble(company)
    sidebar = ada.get(reverse("admin:topology_registry_changelist")).context["sidebar_navigation"]
    items = [item for group in sidebar for item in group["items"]]
    assert [item["title"] for item in items if item["active"]] == ["Registries"]
    assert {item["title"]: item["badge"] for item in items if "badge" in item} == {"Registries": 1, "Plans": 1}


def test_an_auditor_sees_it_too_and_an_outsider_does_not(company: Company, signed_in: SignIn) -> None:
    assert signed_in(person("audrey", Role.AUDITOR)).get(INDEX).status_code == 200
    assert signed_in(company.charlie).get(INDEX, follow=True).status_code == 403
