"""Every page in a real browser, wide and narrow, light and dark: nothing refused, nothing from outside, nothing cut, nothing in anybody's way."""

import pytest
from django.urls import reverse

from tests.e2e.conftest import Visit
from tests.e2e.harbour import LONG, Harbour
from tests.e2e.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
modes = pytest.mark.parametrize(("width", "scheme", "other"), [(1440, "light", 390), (390, "dark", 1440)])

FOR_STRANGERS = ("/accounts/login/", "/accounts/password/reset/", "/accounts/signup/")
OF_THE_PORTAL = (
    "/", "/registries/", "/registries/prod/", "/registries/sandbox/", "/repositories/", "/r/ci-snapshots/payments/api/",
    "/r/ci-snapshots/payments/api:1.4.0/", f"/r/ci-snapshots/{LONG}/", "/search/?q=payments", "/search/?q=nothing-like-it",
    "/promotions/", "/promotions/new/?registry=ci-snapshots&repository=payments/api&tag=1.4.0", "/inbox/", "/my/access/",
    "/my/access/?by=registry", "/my/clients/", "/my/clients/?location=eu&for=containerd", "/my/clients/?location=eu&for=kubernetes",
    "/explain/", "/explain/?who=alice&action=push&registry=prod&repository=payments/api",
    "/explain/?who=charlie&action=pull&registry=prod&repository=payments/api&address=10.1.2.3",
    "/uses/?registry=prod", "/uses/?registry=ci-snapshots&repository=payments/api",
    "/access/requests/", "/access/requests/?show=all", "/access/requests/new/", "/access/review/", "/access/review/?show=all",
    "/teams/", "/teams/payments/", "/teams/payments/robots/payments-ci/",
    "/zones/ci-snapshots/", "/zones/prod/", "/names/unowned/", "/incidents/",
    "/accounts/password/change/", "/accounts/logout/", "/accounts/2fa/", "/accounts/email/", "/accounts/3rdparty/",
)  # fmt: skip
LISTS = (
    "promotions_promotionrequest", "topology_registry", "catalog_tag", "catalog_manifest", "replication_delivery",
    "archive_archiveentry", "retention_planitem", "access_denial", "access_drafttrial", "copies_copyjob", "audit_auditevent",
    "access_namespace", "access_restriction", "sentinel_incident", "access_accessrequest", "access_importedlogin",
)  # fmt: skip
FORMS = (
    "topology_registry",
    "promotions_promotionpath",
    "access_accessrule",
    "access_namespace",
    "access_restriction",
    "retention_retentionpolicy",
    "retention_plan",
    "access_drafttrial",
)


@modes
def test_pages_for_strangers(visit: Visit, harbour: Harbour, width: int, scheme: str, other: int) -> None:
    visitor = visit(None, width, scheme)  # type: ignore[arg-type]
    for path in FOR_STRANGERS:
        see(visitor, path, other)
    assert not visitor.faults, "\n".join(visitor.faults)


@modes
def test_pages_of_the_portal(visit: Visit, harbour: Harbour, width: int, scheme: str, other: int) -> None:
    visitor = visit(harbour.ada, width, scheme)  # type: ignore[arg-type]
    digest = reverse("web:digest", args=[str(harbour.snapshot.manifest.digest)])
    promotion = reverse("web:promotion", args=[harbour.request.public_id])
    replacing = reverse("web:token-replace", args=[harbour.token.pk])
    incident = reverse("web:incident", args=[harbour.incident.pk])
    naming = reverse("web:naming-rule", args=[harbour.naming.pk])
    wish = reverse("web:access-request", args=[harbour.wish.pk])
    for path in (*OF_THE_PORTAL, digest, promotion, replacing, incident, naming, wish):
        see(visitor, path, other)
    see(visitor, "/nothing/here/", other, status=404)
    assert not visitor.faults, "\n".join(visitor.faults)


@modes
def test_pages_of_the_admin(visit: Visit, harbour: Harbour, width: int, scheme: str, other: int) -> None:
    visitor = visit(harbour.ada, width, scheme)  # type: ignore[arg-type]
    rows = {
        "topology_registry": harbour.prod, "archive_archiveentry": harbour.entry, "retention_plan": harbour.plan,
        "copies_copyjob": harbour.copy, "catalog_manifest": harbour.long.manifest, "users_user": harbour.alice,
        "promotions_promotionpath": harbour.path, "access_robotaccount": harbour.robot, "access_drafttrial": harbour.trial,
        "access_adoption": harbour.adoption,
    }  # fmt: skip
    addresses = [reverse("admin:index"), reverse("admin:promotions_promotionrequest_review", args=[harbour.request.pk])]
    addresses += [
        reverse("admin:access_adoption_report", args=[harbour.adoption.pk]),
        reverse("admin:users_user_leaving", args=[harbour.alice.pk]),
        reverse("admin:access_robotaccount_secret", args=[harbour.robot.pk]),
        reverse("admin:access_secret_replace", args=[harbour.secret.pk]),
    ]
    addresses += [reverse(f"admin:{name}_changelist") for name in LISTS]
    addresses += ["/admin/explain/", "/admin/explain/?who=alice&action=pull&registry=prod&repository=payments/api"]
    addresses += [reverse(f"admin:{name}_add") for name in FORMS]
    addresses += [reverse(f"admin:{name}_change", args=[row.pk]) for name, row in rows.items()]
    for path in addresses:
        see(visitor, path, other)
    assert not visitor.faults, "\n".join(visitor.faults)


def see(visitor: Visitor, path: str, other: int, *, status: int = 200) -> None:
    """Open it, look at it, and see whether it fits the other width as well."""
    visitor.open(path, status=status)
    visitor.look()
    visitor.measure(other)
