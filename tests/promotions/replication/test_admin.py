"""Rules and deliveries in the admin."""

import pytest
from django.test import Client

from portal.audit.models import AuditEvent
from portal.jobs.models import JobState
from portal.panels import panels_for
from portal.users.models import Role
from promotions.replication.models import Delivery, ReplicationRule
from promotions.replication.reconcile import reconcile
from registries.access.models import AccessRule
from registries.copies.models import CopyJob
from tests.promotions.archive.test_admin import signed_in
from tests.promotions.replication.regions import Regions, end_copies

RULES, DELIVERIES = "/admin/replication/replicationrule/", "/admin/replication/delivery/"


@pytest.fixture
def admin(regions: Regions) -> Client:
    return signed_in("root", is_superuser=True)[0]


def form(regions: Regions, **changes: object) -> dict[str, object]:
    return {
        "name": "prod-to-us",
        "source": regions.prod.pk,
        "target": regions.us.pk,
        "repository_glob": "**",
        "tag_glob": "*",
        "is_enabled": "on",
        **changes,
    }


def test_a_rule_made_by_the_form(regions: Regions, admin: Client) -> None:
    assert admin.post(f"{RULES}add/", form(regions)).status_code == 302
    rule = ReplicationRule.objects.get(name="prod-to-us")
    page = admin.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert "switched off at prod-us" in page
    assert AuditEvent.objects.filter(verb="replicationrule.created", object_name="prod-to-us").exists()


def test_nothing_leaves_a_sandbox_by_the_form_either(regions: Regions, admin: Client) -> None:
    answer = admin.post(f"{RULES}add/", form(regions, source=regions.sandbox.pk))
    assert "nothing leaves a sandbox" in answer.content.decode()
    assert not ReplicationRule.objects.filter(name="prod-to-us").exists()


def test_a_changed_rule_looks_again(regions: Regions, admin: Client) -> None:
    regions.push()
    reconcile()
    assert regions.rule.readings.exists()
    admin.post(
        f"{RULES}{regions.rule.pk}/change/", form(regions, name="prod-to-eu", target=regions.eu.pk, tag_glob="1*")
    )
    regions.rule.refresh_from_db()
    assert regions.rule.tag_glob == "1*"
    assert not regions.rule.readings.exists()


def test_a_rule_goes_with_its_deliveries(regions: Regions, admin: Client) -> None:
    regions.push()
    reconcile()
    assert admin.post(f"{RULES}{regions.rule.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ReplicationRule.objects.exists()
    assert not Delivery.objects.exists()


def test_the_list_counts_what_is_there(regions: Regions, admin: Client) -> None:
    regions.push()
    reconcile()
    end_copies()
    reconcile()
    assert "1 of 1 present" in admin.get(RULES).content.decode()


def test_try_again_is_for_those_who_answer_for_releases(regions: Regions, admin: Client) -> None:
    regions.push()
    reconcile()
    end_copies(JobState.FAILED, reason_text="prod-eu does not answer.")
    reconcile()
    chosen = {"action": "try_again", "_selected_action": [regions.delivery().pk]}
    assert "prod-eu does not answer." in admin.get(DELIVERIES).content.decode()
    signed_in("ada", Role.AUDITOR)[0].post(DELIVERIES, chosen)
    assert regions.delivery().state == Delivery.State.FAILED
    signed_in("bob", Role.RELEASE_MANAGER)[0].post(DELIVERIES, chosen)
    reconcile()
    assert CopyJob.objects.count() == 2


def test_replicas_without_rules_get_theirs_by_an_action(regions: Regions, admin: Client) -> None:
    admin.post(RULES, {"action": "follow_primaries", "_selected_action": [regions.rule.pk]})
    assert ReplicationRule.objects.filter(name="prod-to-prod-us").exists()


def test_the_passport_of_a_digest_shows_its_regions(regions: Regions, admin: Client) -> None:
    digest = regions.push()
    _, person = signed_in("ada", Role.AUDITOR)
    assert "Regions" not in [panel.title for panel in panels_for("digest", person, str(digest))]
    reconcile()
    assert "Regions" in [panel.title for panel in panels_for("digest", person, str(digest))]
    assert panels_for("digest", person, "nonsense") == []


def test_who_may_pull_it_nowhere_is_not_told_of_its_regions(regions: Regions) -> None:
    digest = regions.push()
    reconcile()
    _, person = signed_in("eve")
    assert "Regions" not in [panel.title for panel in panels_for("digest", person, str(digest))]
    AccessRule.objects.create(user=person, registry=regions.eu, pattern="payments/**")
    assert "Regions" in [panel.title for panel in panels_for("digest", person, str(digest))]
