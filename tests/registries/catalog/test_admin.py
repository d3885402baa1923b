"""The catalog in the admin."""

from collections.abc import Iterator

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.models import RoleGrant, User
from registries.catalog.holds import place_hold
from registries.catalog.intents import declare_intent
from registries.catalog.models import Hold, Manifest, RegistrySyncState, Repository, SyncJob, Tag, TagEvent
from registries.catalog.read import CatalogReader
from registries.catalog.run_sync import sweep_registry
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.topology.models import Registry
from tests.fakes.content import put_image, put_two_platforms
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.registries.rows import claimed_sync, make_registry

pytestmark = pytest.mark.django_db

MODELS = (
    "repository",
    "tag",
    "tagevent",
    "manifest",
    "placement",
    "blob",
    "hold",
    "syncjob",
    "syncstate",
    "registrysyncstate",
    "tagintent",
    "digestguard",
)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """With 12 images in it, synced."""
    with ScriptedRegistry().running() as server:
        registry = make_registry("ci", server.url)
        client = Client(server.url, Anonymous())
        put_two_platforms(client, "team/app", "v1")
        for number in range(12):
            put_image(client, f"team/app{number % 3}", tag=f"t{number}", layers=(str(number).encode(),))
        claim = claimed_sync(registry)
        with CatalogReader(client) as reader:
            sweep_registry(claim, reader, lambda client: client.catalog())
        claim.write(state="done")
        client.close()
        yield registry


def browser_of(*roles: str) -> Browser:
    user = User.objects.create(username="ada", email="ada@example.com")
    for role in roles:
        RoleGrant.objects.create(user=user, role=role)
    browser = Browser()
    browser.force_login(user)
    return browser


def page(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_every_list_opens_with_few_queries(
    registry: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    digest = Manifest.objects.filter(kind="index").get().digest
    place_hold(digest, "promotion", "17", registry)
    declare_intent(registry, "team/app", "v2", None, digest, registry)
    browser = browser_of("auditor")

    for model in MODELS:
        with django_assert_max_num_queries(25):
            page(browser, f"/admin/catalog/{model}/")


def test_every_page_of_a_row_opens(registry: Registry) -> None:
    index = Manifest.objects.get(kind="index")
    browser = browser_of("auditor")

    shown = page(browser, f"/admin/catalog/manifest/{index.pk}/change/")
    assert "linux/arm64" in shown
    assert "team/app" in shown
    for row in (Tag.objects.first(), TagEvent.objects.first(), Repository.objects.first(), SyncJob.objects.first()):
        assert row is not None
        page(browser, f"/admin/catalog/{row._meta.model_name}/{row.pk}/change/")


def test_lists_are_searched(registry: Registry) -> None:
    index = Manifest.objects.get(kind="index")
    browser = browser_of("auditor")

    for text in (index.digest, index.digest[:20]):
        shown = page(browser, f"/admin/catalog/manifest/?q={text}")
        assert index.digest in shown
        assert shown.count('title="sha256:') == 1
    assert "t7" in page(browser, "/admin/catalog/tag/?q=t7")


def test_security_places_and_releases_a_legal_hold(registry: Registry) -> None:
    digest = Manifest.objects.get(kind="index").digest
    browser = browser_of("security")

    assert browser.post("/admin/catalog/hold/add/", {"digest": digest, "reason": ""}).status_code == 200
    assert browser.post("/admin/catalog/hold/add/", {"digest": "nonsense", "reason": "x"}).status_code == 200
    assert not Hold.objects.exists()
    answer = browser.post("/admin/catalog/hold/add/", {"digest": f" {digest} ", "reason": "case 12"})
    assert answer.status_code == 302
    hold = Hold.objects.get()
    assert (hold.digest, hold.kind, hold.reason) == (digest, "legal", "case 12")

    assert browser.post(f"/admin/catalog/hold/{hold.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Hold.objects.exists()
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"hold.placed", "hold.released"} <= verbs


def test_a_promotion_s_hold_is_not_taken_off_by_hand(registry: Registry) -> None:
    hold = place_hold(Digest.of(b"x"), "promotion", "17", registry)
    browser = browser_of("security")

    assert browser.post(f"/admin/catalog/hold/{hold.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post("/admin/catalog/hold/", {"action": "delete_selected", "_selected_action": [hold.pk], "post": "yes"})
    assert Hold.objects.filter(pk=hold.pk).exists()


def test_an_auditor_places_no_hold(registry: Registry) -> None:
    assert browser_of("auditor").post("/admin/catalog/hold/add/", {}).status_code == 403


def test_sync_now_and_accepting_what_disappeared(registry: Registry) -> None:
    state = RegistrySyncState.objects.get()
    Tag.objects.filter(name__startswith="t").update(missing_reads=2)
    RegistrySyncState.objects.update(braked_at=timezone.now(), brake_text="12 of 13 tags")
    browser = browser_of("platform_admin")
    address = "/admin/catalog/registrysyncstate/"

    browser.post(address, {"action": "sync_selected", "_selected_action": [state.pk]})
    assert SyncJob.objects.filter(state="queued").count() == 1
    browser.post(address, {"action": "accept_selected", "_selected_action": [state.pk]})

    assert Tag.objects.count() == 1
    state.refresh_from_db()
    assert state.braked_at is None
    assert AuditEvent.objects.filter(verb="registry.disappearance_accepted").count() == 1
