"""Who sees a promotion? Lists, single pages and the review answer alike."""

import pytest
from django.utils import timezone

from portal.users.models import Team, User
from promotions.workflow.models import PromotionRequest
from promotions.workflow.queries import may_see, request_seen_by, requests_seen_by
from registries.access.models import AccessRule, RobotAccount
from registries.catalog.models import Repository
from tests.promotions.workflow.world import World, put_image

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def request_(world: World) -> PromotionRequest:
    return world.ask(put_image(world.ci))


def sees(subject: User | RobotAccount, request: PromotionRequest) -> bool:
    listed = requests_seen_by(subject).filter(pk=request.pk).exists()
    assert (request_seen_by(subject, request.public_id) == request) is listed
    if isinstance(subject, User):
        assert may_see(subject, request) is listed
    return listed


def test_those_concerned_and_those_with_a_role_see_it(world: World, request_: PromotionRequest) -> None:
    seen = {name for name, person in world.people.items() if sees(person, request_)}
    assert seen == set(world.people) - {"eve"}


def test_whoever_may_pull_the_artifact_sees_what_becomes_of_it(world: World, request_: PromotionRequest) -> None:
    eve = world.people["eve"]
    AccessRule.objects.create(user=eve, registry=world.ci, pattern="payments/*")
    assert sees(eve, request_)
    Repository.objects.update(absent_since=timezone.now())
    assert sees(eve, request_), "history outlives the repository"
    AccessRule.objects.create(user=eve, effect="deny", pattern="**/api")
    assert not sees(eve, request_)


def test_to_pull_the_same_name_elsewhere_is_not_enough(world: World, request_: PromotionRequest) -> None:
    put_image(world.sandbox)
    AccessRule.objects.create(user=world.people["eve"], registry=world.sandbox, pattern="**")
    assert not sees(world.people["eve"], request_)


def test_a_robot_sees_what_its_team_asked_for(world: World, request_: PromotionRequest) -> None:
    other = Team.objects.create(name="shop")
    assert sees(world.robot, request_)
    assert sees(RobotAccount.objects.create(name="payments-web", team=world.team, kind="consumer"), request_)
    assert not sees(RobotAccount.objects.create(name="shop-ci", team=other, kind="ci"), request_)
