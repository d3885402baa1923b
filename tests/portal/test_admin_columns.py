"""Columns of the admin speak in words."""

import pytest
from django.test import Client
from django.urls import reverse

from portal.admin_columns import facts, words_for
from portal.users.models import Role
from registries.access.models import SigningKey
from registries.catalog.models import Manifest, Tag
from registries.topology.models import Registry
from tests.portal.any_row import make_row
from tests.portal.test_admin_pages import person, signed_in


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        (Registry, "is_sync_enabled", "sync enabled"),
        (Registry, "created_at", "created"),
        (Registry, "base_url", "base URL"),
        (Registry, "verify_tls", "verify TLS"),
        (Manifest, "content_bytes", "content"),
        (SigningKey, "kid", "key ID"),
        (Tag, "name", "name"),
    ],
)
def test_a_field_is_called_by_words(model: type, name: str, words: str) -> None:
    assert words_for(model._meta.get_field(name)) == words  # type: ignore[attr-defined]


def test_words_that_somebody_chose_stay() -> None:
    from registries.access.models import AccessRule

    assert words_for(AccessRule._meta.get_field("is_public")) == "also strangers"


def test_json_is_read_as_facts_and_never_as_markup() -> None:
    assert facts({}) == "–"
    assert facts(["1.4", "latest"]) == "1.4, latest"
    assert (
        facts({"a": {"b": True}})
        == '<dl class="facts"><dt>a</dt><dd><dl class="facts"><dt>b</dt><dd>yes</dd></dl></dd></dl>'
    )
    assert facts([{"n": 1}]) == '<ol class="facts-list"><li><dl class="facts"><dt>n</dt><dd>1</dd></dl></li></ol>'
    assert "<script>" not in str(facts({"<script>": ["<script>"], "deep": [{"x": "<script>"}]}))


@pytest.fixture
def admin(db: None) -> Client:
    return signed_in(person("admin", Role.PLATFORM_ADMIN))


def test_a_list_shows_times_and_digests_short_and_the_whole_besides(admin: Client) -> None:
    manifest = make_row(Manifest)
    page = admin.get(reverse("admin:catalog_placement_changelist")).content.decode()
    assert "No results" in page
    page = admin.get(reverse("admin:catalog_manifest_changelist")).content.decode()
    assert 'datetime="2' in page
    assert f'title="{manifest.digest}"' in page  # type: ignore[attr-defined]
    assert f">{manifest.digest}<" not in page  # type: ignore[attr-defined]


def test_a_list_is_sorted_by_what_its_columns_hold(admin: Client) -> None:
    for name in ("b", "a"):
        registry = make_row(Registry)
        Registry.objects.filter(pk=registry.pk).update(name=name, is_sync_enabled=name == "a")
    rows = admin.get(reverse("admin:topology_registry_changelist"), {"o": "1"}).context["cl"].result_list
    assert [row.name for row in rows] == ["a", "b"]


def test_a_page_to_be_read_shows_json_as_facts(admin: Client) -> None:
    manifest = make_row(Manifest)
    Manifest.objects.filter(pk=manifest.pk).update(labels={"org.opencontainers.image.version": "1.4 <b>"})
    page = admin.get(reverse("admin:catalog_manifest_change", args=[manifest.pk])).content.decode()
    assert "<dt>org.opencontainers.image.version</dt><dd>1.4 &lt;b&gt;</dd>" in page
    assert "First seen<" in page
    assert "First seen at" not in page
