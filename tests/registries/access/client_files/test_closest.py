"""Who is asked first, who never stands in, and why."""

import pytest

from registries.access.client_files.closest import plan_routes
from tests.registries.access.client_files.coast import NINE, planned, tried


def test_in_europe_the_cache_and_the_replica_come_first() -> None:
    found = tried(planned("eu"))
    assert found["hub"] == ["cache-eu", "hub"]
    assert found["prod"] == ["prod-eu", "prod", "prod-us"]
    assert found["sandbox"] == ["sandbox"]
    assert found["prod-eu"] == ["prod-eu"], "who writes a replica's own name gets that replica"


def test_where_prod_itself_stands_it_comes_first_and_replicas_help_out() -> None:
    assert tried(planned("hq"))["prod"] == ["prod", "prod-eu", "prod-us"]


def test_a_cache_of_a_replica_comes_before_that_replica() -> None:
    edge = {"host": "edge.example", "kind": "cache", "location": "eu", "fronts": "prod-eu"}
    assert tried(planned("eu", edge=edge))["prod"] == ["edge", "prod-eu", "prod", "prod-us"]
    assert "edge" not in tried(planned("us", edge=edge))["prod"], "a cache elsewhere is no way round"


def test_an_upstream_without_a_cache_nearby_is_no_business_of_ours() -> None:
    assert "hub" not in tried(planned("us"))


def test_without_a_location_every_registry_goes_by_its_own_name() -> None:
    plan = planned("")
    assert all(route.is_direct for route in plan.routes)
    assert set(tried(plan)) == {row.name for row in NINE} - {"hub"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_following": False}, "its replication is off, so it may lag behind prod"),
        ({"reach": "observed"}, "it is observed and prod is enforced"),
        ({"host": "../../etc"}, "its host is nothing that a client can write"),
        ({"host": "eu.example\n[host]"}, "its host is nothing that a client can write"),
    ],
)
def test_what_would_not_be_the_same_stays_out_and_the_reason_is_told(change: dict[str, object], reason: str) -> None:
    plan = planned("eu", prod_eu=change)
    assert tried(plan)["prod"] == ["prod", "prod-us"]
    assert [remark for remark in plan.remarks if remark.startswith("prod-eu is left out") and reason in remark]


def test_a_cache_of_what_is_left_out_stays_out_too() -> None:
    edge = {"host": "edge.example", "kind": "cache", "location": "eu", "fronts": "prod-eu"}
    assert tried(planned("eu", edge=edge, prod_eu={"is_following": False}))["prod"] == ["prod", "prod-us"]


def test_a_weaker_registry_may_stand_in_for_one_as_weak() -> None:
    assert tried(planned("eu", hub={"reach": "observed"}, cache_eu={"reach": "observed"}))["hub"] == ["cache-eu", "hub"]


def test_docker_hub_registered_twice_counts_once() -> None:
    again = {"host": "registry-1.docker.io", "kind": "upstream"}
    plan = planned("eu", hub={"host": "docker.io"}, hub_again=again)
    assert [route.original.written for route in plan.routes].count("docker.io") == 1
    assert "hub-again is left out: clients write docker.io for it, as they do for hub." in plan.remarks


def test_only_what_trusts_our_tokens_asks_for_our_login() -> None:
    plan = planned("eu", archive={"reach": "brokered"}, hub={"reach": "observed"})
    names = [one.name for one in plan.logins]
    assert "prod" in names
    assert "prod-eu" in names
    assert not {"archive", "hub"} & set(names)


def test_the_order_of_rows_changes_nothing() -> None:
    assert plan_routes(reversed(NINE), "eu") == plan_routes(NINE, "eu")


def test_the_part_about_one_registry_keeps_who_stands_in_for_it() -> None:
    assert set(tried(planned("eu").about("prod"))) == {"prod", "prod-eu", "prod-us"}
    assert tried(planned("eu").about("nowhere")) == {}


def test_certificates_that_cannot_be_read_are_told() -> None:
    plan = planned("eu", prod={"lacks_certificates": True})
    assert [remark for remark in plan.remarks if "certificates of prod" in remark]
