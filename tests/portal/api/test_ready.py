"""May it be deployed there? CI and deployments ask; what one may not see looks as if it were not there."""

import pytest
from django.utils import timezone

from promotions.replication.reconcile import reconcile
from promotions.replication.rules import set_rule
from promotions.workflow.models import PromotionRequest
from registries.access.models import AccessRule, RobotAccount
from registries.catalog.models import Repository
from registries.catalog.observe import record_placements
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind
from tests.portal.api.office import Office
from tests.promotions.replication.regions import end_copies, touch
from tests.promotions.workflow.world import SETUP, begin, end_copy, make_registry, put_image, say

CI = "robot.payments-ci"
NAME = "payments/api"


def arrive(registry: Registry, digest: Digest) -> None:
    put_image(registry, tag="1.4.2")
    record_placements(Repository.objects.get(registry=registry, name=NAME), [digest], at=timezone.now())
    touch(registry, NAME)


@pytest.fixture
def promoted(office: Office) -> Digest:
    """In prod, read back; on its way to prod-eu."""
    eu = make_registry("prod-eu", ZoneKind.PROD, primary=office.world.prod, is_replication_enabled=True)
    set_rule(SETUP, "prod-to-eu", office.world.prod, eu)
    digest = office.build()
    office[CI].post("/promotions", office.body(digest))
    request = PromotionRequest.objects.get()
    say("bob", office.world, request)
    end_copy(begin(request))
    arrive(office.world.prod, digest)
    reconcile()
    return digest


def test_ci_waits_for_what_it_had_promoted_and_cannot_pull(office: Office, promoted: Digest) -> None:
    body = office[CI].get("/ready", digest=promoted, repository=NAME, registries="prod,prod-eu").body
    assert not body["is_ready"]
    assert [(row["registry"], row["code"]) for row in body["registries"]] == [("prod", "ready"), ("prod-eu", "copying")]
    CopyJob.objects.filter(target__name="prod-eu").update(state="queued")
    end_copies()
    arrive(Registry.objects.get(name="prod-eu"), promoted)
    reconcile()
    body = office[CI].get("/ready", digest=promoted, repository=NAME, registries="prod,prod-eu").body
    assert body["is_ready"]
    assert all(row["verified_at"] for row in body["registries"])


def test_without_names_every_registry_that_should_have_it(office: Office, promoted: Digest) -> None:
    body = office["bob"].get("/ready", digest=promoted, repository=NAME).body
    assert {row["registry"] for row in body["registries"]} == {"ci", "prod", "prod-eu"}


def test_a_repository_nobody_has_is_not_ready(office: Office) -> None:
    body = office["bob"].get("/ready", digest=Digest.of(b"x"), repository="no/where").body
    assert (body["is_ready"], body["registries"]) == (False, [])


def test_absence_and_refusal_look_alike(office: Office, promoted: Digest) -> None:
    never = Digest.of(b"never")
    door = office["robot.shop-ci"]
    answers = [
        door.get("/ready", digest=digest, repository=NAME, registries="prod").body["registries"][0]
        for digest in (promoted, never)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "missing"


def test_a_consumer_asks_about_what_it_was_granted(office: Office, promoted: Digest) -> None:
    robot = RobotAccount.objects.get(name="shop-web")
    AccessRule.objects.create(team=robot.team, registry=office.world.prod, pattern="payments/**")
    door = office["robot.shop-web"]
    assert door.get("/ready", digest=promoted, repository=NAME, registries="prod").body["is_ready"]
    assert not door.get("/ready", digest=promoted, repository=NAME, registries="prod-eu").body["is_ready"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"digest": "latest", "repository": NAME}, 400, "invalid"),
        ({"digest": str(Digest.of(b"x"))}, 400, "invalid"),
        ({"digest": str(Digest.of(b"x")), "repository": NAME, "registries": "prod,nowhere"}, 404, "unknown_registry"),
        ({"digest": str(Digest.of(b"x")), "repository": "a\x00", "registries": "prod"}, 400, "invalid"),
    ],
)
def test_bad_questions(office: Office, query: dict[str, str], status: int, code: str) -> None:
    answer = office["bob"].get("/ready", **query)
    assert (answer.status, answer.code) == (status, code)


def test_strangers_are_told_nothing(office: Office) -> None:
    assert office.stranger.get("/ready", digest=Digest.of(b"x"), repository=NAME).status == 401
