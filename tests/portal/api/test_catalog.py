"""What is in the registries, to those who may look."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registries.access.models import AccessRule
from registries.catalog.models import Hold, Repository, TagEvent
from registries.catalog.observe import record_placements
from registries.oci.digest import Digest
from registries.topology.models import RegistryHealth
from tests.portal.api.office import Office
from tests.promotions.workflow.world import put_image


def test_registries_are_for_everybody_signed_in(office: Office) -> None:
    RegistryHealth.objects.create(registry=office.world.prod, state="well", checked_at=timezone.now())
    body = office["robot.shop-web"].get("/registries").body
    assert [row["name"] for row in body["results"]] == ["ci", "prod", "sandbox"]
    prod = office["eve"].get("/registries/prod").body
    assert (prod["zone_kind"], prod["reach"], prod["role"]) == ("prod", "enforced", "primary")
    assert prod["health"]["state"] == "well"
    assert office["eve"].get("/registries/sandbox").body["health"] is None


@pytest.mark.parametrize("path", ["/registries/nowhere", "/repositories/nowhere/a", "/promotions/prm_nothing"])
def test_what_is_not_there_is_404(office: Office, path: str) -> None:
    answer = office["alice"].get(path)
    assert (answer.status, answer.code) == (404, "not_found")


def test_repositories_with_slashes_and_their_tags(office: Office) -> None:
    digest = office.build(tag="1.4.2-rc1")
    door = office["alice"]
    assert door.get("/repositories", registry="ci").body["results"][0]["reference"] == "ci.example/payments/api"
    assert door.get("/repositories/ci/payments/api").body["name"] == "payments/api"
    tags = door.get("/repositories/ci/payments/api/tags").body["results"]
    assert [(tag["name"], tag["digest"], tag["kind"]) for tag in tags] == [("1.4.2-rc1", digest, "index")]


def test_a_part_of_the_name_finds_whatever_its_case(office: Office) -> None:
    office.build()
    found = [
        office["alice"].get("/repositories", q=text).body["results"] for text in ("ments", "MENTS", "m%s", "other")
    ]
    assert [len(rows) for rows in found] == [1, 1, 0, 0]


def test_the_history_of_a_tag_newest_first(office: Office) -> None:
    digest = office.build(tag="latest")
    home = Repository.objects.get()
    for number, kind in enumerate(["created", "moved"]):
        TagEvent.objects.create(
            repository=home, tag="latest", kind=kind, source="sync", new_digest=digest, at=timezone.now(), actor_name=str(number)
        )  # fmt: skip
    rows = office["alice"].get("/repositories/ci/payments/api/tags/latest/history").body["results"]
    assert [row["kind"] for row in rows] == ["moved", "created"]
    assert office["alice"].get("/repositories/ci/payments/api/tags/other/history").status == 404


def test_prod_is_seen_only_by_those_who_were_granted_it(office: Office) -> None:
    put_image(office.world.prod, tag="1.4.2")
    paths = ["/repositories/prod/payments/api", "/repositories/prod/payments/api/tags"]
    for name in ("eve", "robot.payments-ci", "robot.shop-web"):
        assert [office[name].get(path).status for path in paths] == [404, 404]
        assert office[name].get("/repositories", registry="prod").body["results"] == []
    AccessRule.objects.create(team_id=_team_of("shop-web"), registry=office.world.prod, pattern="payments/*")
    assert [office["robot.shop-web"].get(path).status for path in paths] == [200, 200]
    AccessRule.objects.create(robot_id=_robot("shop-web"), effect="deny", pattern="**/api")
    assert office["robot.shop-web"].get(paths[0]).status == 404


def test_robots_see_nothing_of_a_sandbox(office: Office) -> None:
    put_image(office.world.sandbox)
    assert office["alice"].get("/repositories", registry="sandbox").body["results"] != []
    for name in ("robot.payments-ci", "robot.shop-web"):
        assert office[name].get("/repositories", registry="sandbox").body["results"] == []


def test_the_passport_of_a_digest(office: Office) -> None:
    digest = office.build(tag="1.4.2-rc1")
    record_placements(Repository.objects.get(), [digest], at=timezone.now())
    office["robot.payments-ci"].post("/promotions", office.body(digest))
    body = office["alice"].get(f"/manifests/{digest}").body
    assert (body["kind"], body["digest"]) == ("index", digest)
    assert [row["platform"] for row in body["platforms"]] == ["linux/amd64", "linux/arm64"]
    assert body["platforms"][0]["labels"]["org.opencontainers.image.version"] == "1.4.2"
    (place,) = body["placements"]
    assert (place["registry"], place["repository"], place["tags"]) == ("ci", "payments/api", ["1.4.2-rc1"])
    assert body["promotions"][0]["state"] == "awaiting_approval"
    assert body["holds"][0]["kind"] == Hold.Kind.PROMOTION


def test_the_passport_shows_only_places_the_caller_may_see(office: Office) -> None:
    digest = office.build()
    put_image(office.world.prod)
    assert {row["registry"] for row in office["bob"].get(f"/manifests/{digest}").body["placements"]} == {"ci", "prod"}
    assert {row["registry"] for row in office["eve"].get(f"/manifests/{digest}").body["placements"]} == {"ci"}
    only_prod = put_image(office.world.prod, version="9.9.9")
    assert office["eve"].get(f"/manifests/{only_prod}").status == 404


@pytest.mark.parametrize("digest", ["sha256:short", "latest", "sha512:" + "a" * 64, "sha256:" + "Z" * 64])
def test_a_digest_that_is_none(office: Office, digest: str) -> None:
    answer = office["alice"].get(f"/manifests/{digest}")
    assert (answer.status, answer.code) == (400, "bad_digest")


def test_a_digest_nobody_has(office: Office) -> None:
    assert office["alice"].get(f"/manifests/{Digest.of(b'nothing')}").status == 404


def _many(office: Office, count: int) -> None:
    Repository.objects.bulk_create(
        [Repository(registry=office.world.ci, name=f"many/{number:03}") for number in range(count)]
    )


def test_pages_follow_each_other_without_gaps(office: Office) -> None:
    _many(office, 25)
    found, path = [], "/repositories?limit=10"
    while path:
        body = office["alice"].get(path).body
        found += [row["name"] for row in body["results"]]
        assert len(body["results"]) <= 10
        path = (body["next"] or "").removeprefix("http://testserver/api/v1")
    assert found == [f"many/{number:03}" for number in range(25)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "bad_limit"),
        ({"limit": "many"}, "bad_limit"),
        ({"limit": "²"}, "bad_limit"),
        ({"cursor": "nonsense"}, "bad_cursor"),
        ({"cursor": "%00"}, "bad_cursor"),
        ({"q": "x" * 300}, "invalid"),
        ({"q": "a\x00b"}, "invalid"),
    ],
)
def test_odd_parameters_are_refused_with_a_sentence(office: Office, query: dict[str, str], code: str) -> None:
    answer = office["alice"].get("/repositories", **query)
    assert (answer.status, answer.code) == (400, code)


def test_a_cursor_of_another_list_is_refused(office: Office) -> None:
    _many(office, 3)
    cursor = office["alice"].get("/repositories", limit=1).body["next"].split("cursor=")[1].split("&")[0]
    answer = office["bob"].get(f"/promotions?cursor={cursor}")
    assert (answer.status, answer.code) == (400, "bad_cursor")


def test_a_list_as_a_table(office: Office) -> None:
    _many(office, 120)
    answer = office["alice"].get("/repositories", format="csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body)))
    assert len(rows) == 120, "nobody turns the pages of a file"
    assert rows[0]["name"] == "many/000"


def test_lists_ask_a_bounded_number_of_questions(office: Office) -> None:
    _many(office, 50)
    for number in range(10):
        put_image(office.world.ci, version=f"1.0.{number}", repository=f"many/{number:03}", tag="v")

    def queries(path: str, **query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert office["alice"].get(path, **query).status == 200
        return len(captured)

    queries("/repositories")  # the first reads the policy, which is kept until it changes
    assert queries("/repositories") == queries("/repositories", limit="1")
    assert queries("/repositories") <= 14


def _team_of(name: str) -> int:
    from registries.access.models import RobotAccount

    return RobotAccount.objects.get(name=name).team_id


def _robot(name: str) -> int:
    from registries.access.models import RobotAccount

    return RobotAccount.objects.get(name=name).pk
