"""What these apps add to pages of the roof."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.utils import timezone

from portal.panels import Panel, panels_for
from portal.users.models import User
from registries.catalog.models import Manifest, RegistrySyncState, Repository, Tag
from registries.copies.models import CopyJob
from registries.copies.order import order_copy
from registries.oci.digest import Digest
from registries.retention.models import Plan, PlanItem
from registries.topology.models import Registry, ZoneKind
from tests.registries.rows import ALICE, make_registry

pytestmark = pytest.mark.django_db
DIGEST = Digest.of(b"x")


@pytest.fixture
def registry(db: None) -> Registry:
    return make_registry("ci")


def html(panels: list[Panel], title: str) -> str:
    panel = next(panel for panel in panels if panel.title == title)
    return render_to_string(panel.template, dict(panel.context))


def titles(panels: list[Panel]) -> set[str]:
    return {panel.title for panel in panels}


def test_a_digest_says_how_it_was_carried(registry: Registry, admin: User) -> None:
    order_copy(
        ALICE,
        purpose=CopyJob.Purpose.PROMOTION,
        principal="pipeline",
        source=registry,
        source_repository="app",
        digest=DIGEST,
        target=make_registry("prod", kind=ZoneKind.PROD),
        target_repository="app",
        tags=["v1"],
        expected_digests={},
        cause=registry,
    )

    assert "prod/app:v1" in html(panels_for("digest", admin, DIGEST), "How it was carried")
    assert "How it was carried" not in titles(panels_for("digest", AnonymousUser(), DIGEST))
    assert "How it was carried" not in titles(panels_for("digest", admin, "nonsense"))


def test_a_tag_says_what_cleanup_thinks_of_it(registry: Registry, admin: User) -> None:
    now = timezone.now()
    manifest = Manifest.objects.create(digest=DIGEST, media_type="x", kind="image", size_bytes=1)
    repository = Repository.objects.create(registry=registry, name="app")
    tag = Tag.objects.create(repository=repository, name="v1", manifest=manifest, first_seen_at=now, moved_at=now)
    plan = Plan.objects.create(registry=registry, state="ready", created_by="ada")
    assert "Cleanup" not in titles(panels_for("tag", admin, str(tag.pk)))

    PlanItem.objects.create(
        plan=plan, repository="app", tag="v1", digest=DIGEST, decision="delete", rule="week", reason="It is old."
    )

    shown = html(panels_for("tag", admin, str(tag.pk)), "Cleanup")
    assert "may go" in shown
    assert "It is old." in shown
    assert "policy week" in shown


def test_a_registry_that_lost_too_much_is_shown(registry: Registry, admin: User) -> None:
    RegistrySyncState.objects.create(registry=registry, braked_at=timezone.now(), brake_text="30 of 30 tags")

    assert "30 of 30 tags" in html(panels_for("attention", admin), "Too much is missing")
    assert "Too much is missing" not in titles(panels_for("attention", AnonymousUser()))
