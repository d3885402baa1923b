"""Security forbids and switches off in the admin, and gives nobody anything; everybody else only looks."""

from typing import Any

import pytest
from django.test import Client

from portal.audit.models import AuditEvent
from registries.access.keyless.federation_models import FederationRule, Issuer
from registries.access.models import AccessRule, Restriction
from tests.registries.access.town import Town, make_town

pytestmark = pytest.mark.django_db
RULES, RESTRICTIONS = "/admin/access/accessrule/", "/admin/access/restriction/"


@pytest.fixture
def town() -> Town:
    return make_town()


def signed_in(town: Town, who: str) -> Client:
    client = Client()
    client.force_login(town[who], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def rule_form(effect: str, **changes: Any) -> dict[str, Any]:
    return {
        "effect": effect, "reason": "case 17", "pattern": "payments/**", "networks": "", "may_pull": "on", "team": "", "user": "",
        "robot": "", "zone": "", "registry": "", "replaces": "", "starts_at_0": "", "starts_at_1": "", "ends_at_0": "",
        "ends_at_1": "", **changes,
    }  # fmt: skip


def test_security_denies(town: Town) -> None:
    sam = signed_in(town, "sam")
    page = sam.get(f"{RULES}add/").content.decode()
    assert 'value="deny"' in page
    assert 'value="allow"' not in page
    assert sam.post(f"{RULES}add/", rule_form("deny")).status_code == 302
    made = AccessRule.objects.get()
    assert sam.post(f"{RULES}{made.pk}/change/", rule_form("deny", reason="case 18")).status_code == 302
    assert AccessRule.objects.get().reason == "case 18"
    assert sam.post(f"{RULES}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AccessRule.objects.exists()


def test_security_allows_nothing_whichever_way(town: Town) -> None:
    sam = signed_in(town, "sam")
    grant = AccessRule.objects.create(user=town["dora"], pattern="x")
    denial = AccessRule.objects.create(effect="deny", user=town["dora"], pattern="y")
    before = list(AccessRule.objects.order_by("pk").values())
    sam.post(f"{RULES}add/", rule_form("allow"))
    sam.post(f"{RULES}{denial.pk}/change/", rule_form("allow"))
    sam.post(f"{RULES}{grant.pk}/change/", rule_form("deny"))
    sam.post(f"{RULES}{grant.pk}/change/", rule_form("allow", pattern="**"))
    assert sam.post(f"{RULES}{grant.pk}/delete/", {"post": "yes"}).status_code == 403
    ticked = {"action": "delete_selected", "_selected_action": [grant.pk, denial.pk], "post": "yes"}
    sam.post(RULES, ticked)
    assert list(AccessRule.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("who", ["rita", "audrey", "bob", "charlie"])
def test_others_change_no_rule_and_no_restriction(town: Town, who: str) -> None:
    client = signed_in(town, who)
    denial = AccessRule.objects.create(effect="deny", user=town["dora"], pattern="y")
    for effect in ("allow", "deny"):
        assert client.post(f"{RULES}add/", rule_form(effect)).status_code in (302, 403)
        client.post(f"{RULES}{denial.pk}/change/", rule_form(effect, reason="mine"))
    client.post(f"{RULES}{denial.pk}/delete/", {"post": "yes"})
    assert client.post(f"{RESTRICTIONS}add/", restriction_form()).status_code in (302, 403)
    assert AccessRule.objects.get().reason == ""
    assert not Restriction.objects.exists()


def restriction_form() -> dict[str, Any]:
    return {
        "preset": "freeze", "reason": "audit week", "zone": "", "registry": "", "pattern": "**", "forbids_push": "on",
        "starts_at_0": "2026-01-01", "starts_at_1": "00:00:00", "ends_at_0": "", "ends_at_1": "",
    }  # fmt: skip


@pytest.mark.parametrize("who", ["sam", "ada"])
def test_security_restricts(town: Town, who: str) -> None:
    assert signed_in(town, who).post(f"{RESTRICTIONS}add/", restriction_form()).status_code == 302
    assert Restriction.objects.get().code == "freeze"


def test_security_switches_an_issuer_off_and_not_on(town: Town) -> None:
    issuer = Issuer.objects.create(name="ci", kind="github", url="https://issuer.example", is_enabled=True)
    rule = FederationRule.objects.create(name="r", issuer=issuer, robot=town.robbie, conditions={"a": ["b"]})
    sam = signed_in(town, "sam")
    for model, row in (("issuer", issuer), ("federationrule", rule)):
        sam.post(f"/admin/access/{model}/", {"action": "switch_off", "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert not row.is_enabled
        sam.post(f"/admin/access/{model}/{row.pk}/change/", {"name": "mine", "is_enabled": "on"})
        row.refresh_from_db()
        assert not row.is_enabled
    assert AuditEvent.objects.filter(verb__in=["issuer.changed", "federationrule.changed"]).count() == 2


@pytest.mark.parametrize("who", ["rita", "audrey"])
def test_nobody_else_switches_one_off(town: Town, who: str) -> None:
    issuer = Issuer.objects.create(name="ci", kind="github", url="https://issuer.example", is_enabled=True)
    signed_in(town, who).post("/admin/access/issuer/", {"action": "switch_off", "_selected_action": [issuer.pk]})
    issuer.refresh_from_db()
    assert issuer.is_enabled
