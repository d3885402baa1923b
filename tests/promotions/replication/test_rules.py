"""Which rules may be, and who makes them."""

from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from portal.audit.models import AuditEvent
from promotions.replication.models import ReplicationRule
from promotions.replication.rules import follow_primaries, set_rule
from registries.topology.file import apply_topology, read_topology
from registries.topology.models import ZoneKind
from tests.promotions.replication.regions import Regions
from tests.promotions.workflow.world import SETUP, make_registry


def test_nothing_leaves_a_sandbox_by_the_operation(regions: Regions) -> None:
    with pytest.raises(ValidationError, match="nothing leaves a sandbox"):
        set_rule(SETUP, "leak", regions.sandbox, regions.eu)
    assert not ReplicationRule.objects.filter(name="leak").exists()


def test_nothing_leaves_a_sandbox_by_the_form(regions: Regions) -> None:
    rule = ReplicationRule(name="leak", source=regions.sandbox, target=regions.eu)
    with pytest.raises(ValidationError) as caught:
        rule.full_clean()
    assert "source" in caught.value.message_dict


def test_nothing_leaves_a_sandbox_by_a_topology_file(regions: Regions) -> None:
    wanted = read_topology("replication:\n  leak: {source: sandbox, target: prod-eu}")
    with pytest.raises(Exception, match="nothing leaves a sandbox"):
        apply_topology(SETUP, wanted)
    assert not ReplicationRule.objects.filter(name="leak").exists()


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("ci", "prod", "by a promotion"),
        ("ci", "prod-eu", "by a promotion"),
        ("prod", "prod", "does not follow itself"),
        ("prod", "sandbox", "wiped at will"),
        ("prod", "archive", "archive entries alone"),
        ("prod", "hub", "not ours"),
    ],
)
def test_rules_do_not_go_round_the_other_ways(regions: Regions, source: str, target: str, sentence: str) -> None:
    made = {
        "ci": make_registry("ci", ZoneKind.CI_SNAPSHOTS),
        "archive": make_registry("archive", ZoneKind.ARCHIVE),
        "hub": make_registry("hub", ZoneKind.UPSTREAM),
        "prod": regions.prod,
        "prod-eu": regions.eu,
        "sandbox": regions.sandbox,
    }
    with pytest.raises(ValidationError, match=sentence):
        set_rule(SETUP, "odd", made[source], made[target])


def test_a_rule_that_is_set_twice_the_same_way_is_one_rule_and_one_record(regions: Regions) -> None:
    before = AuditEvent.objects.count()
    set_rule(SETUP, "prod-to-eu", regions.prod, regions.eu)
    assert ReplicationRule.objects.count() == 1
    assert AuditEvent.objects.count() == before


def test_between_other_registries_deliveries_start_from_nothing(regions: Regions) -> None:
    regions.rule.deliveries.create(
        repository="a", tag="1", digest=regions.push(), state="present", wanted_at="2026-01-01T00:00Z"
    )
    set_rule(SETUP, "prod-to-eu", regions.prod, regions.us)
    assert not regions.rule.deliveries.exists()


def test_every_replica_follows_its_primary(regions: Regions) -> None:
    made = follow_primaries(SETUP)
    assert [(rule.name, rule.source, rule.target) for rule in made] == [("prod-to-prod-us", regions.prod, regions.us)]
    assert follow_primaries(SETUP) == []


def test_the_command_replicate_primaries_says_what_it_did_and_what_is_still_off(regions: Regions) -> None:
    out = StringIO()
    call_command("replicate_primaries", stdout=out)
    assert "prod-to-prod-us: prod to prod-us." in out.getvalue()
    assert "switched off at prod-us" in out.getvalue()
    again = StringIO()
    call_command("replicate_primaries", stdout=again)
    assert "Nothing to do" in again.getvalue()
