"""Who may ask, and who may call off? Kept apart from who may approve."""

from portal.actor import Actor
from portal.http.problem import Problem
from portal.users.models import Membership, Role, User
from promotions.workflow.ask import Ask
from promotions.workflow.models import PromotionRequest
from registries.access.models import RobotAccount
from registries.access.queries import may, owner_team

MANAGERS = (Role.RELEASE_MANAGER, Role.PLATFORM_ADMIN)


def check_requester(ask: Ask, robot: RobotAccount | None, person: User) -> None:
    """Raises Problem 403 unless the robot is CI's and belongs there, or the person does."""
    if not person.is_active:
        raise Problem(403, "requester_inactive", f"The account of {person} is closed.")
    if robot is not None:
        _check_robot(ask, robot)
    else:
        _check_person(ask, person)


def _check_robot(ask: Ask, robot: RobotAccount) -> None:
    if not robot.is_active or robot.kind != RobotAccount.Kind.CI:
        raise Problem(403, "not_allowed", f"{robot} is no active robot of kind CI; only those ask for promotions.")
    owner = owner_team(ask.path.source.zone, ask.source_repository)
    if owner == robot.team or may(robot, "push", ask.path.source, ask.source_repository):
        return
    whose = f"belongs to {owner}" if owner else "belongs to no team"
    raise Problem(
        403,
        "not_allowed",
        f"{ask.source_repository} {whose}, and {robot} of {robot.team} may not push to it, so it may not ask either.",
    )


def _check_person(ask: Ask, person: User) -> None:
    owner = owner_team(ask.path.source.zone, ask.source_repository)
    if person.has_role(*MANAGERS) or (owner and Membership.objects.filter(team=owner, user=person).exists()):
        return
    if owner is None and may(person, "pull", ask.path.source, ask.source_repository):
        return
    if owner is None:
        raise Problem(403, "not_allowed", f"You may not pull {ask.source_repository}, so you may not ask for it.")
    raise Problem(
        403,
        "not_allowed",
        f"{ask.source_repository} belongs to {owner}; its members and release managers may ask. Contact: "
        f"{owner.contact or owner}.",
    )


def may_steer(actor: Actor, request: PromotionRequest) -> bool:
    """Whether somebody may cancel or retry: whoever asked, the person behind it, the robot's team, and the managers."""
    if actor.kind in {"system", "job"}:
        return True
    if (actor.kind, actor.key) == (request.requester_kind, request.requester_key):
        return True
    if actor.kind == "robot":
        robot = RobotAccount.objects.filter(pk=actor.key).first()
        return robot is not None and request.robot is not None and robot.team_id == request.robot.team_id
    person = User.objects.filter(pk=actor.key, is_active=True).first()
    if person is None:
        return False
    is_team = request.robot is not None and Membership.objects.filter(team=request.robot.team_id, user=person).exists()
    return person.pk == request.on_behalf_of_id or is_team or person.has_role(*MANAGERS)
