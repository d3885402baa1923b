"""Who asks whom for access: bob and alice maintain payments, sue maintains shop where dora develops, charlie is an outsider, ada runs
the platform, robbie pulls for shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from portal.outbox.models import Message
from portal.users.models import Membership, Role, RoleGrant, Team, User
from registries.access.asking.outlook import Subject, Wish
from registries.access.asking.request_decisions import grant_access
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.requests import ask_for_access
from registries.access.models import AccessRule, Namespace, RobotAccount
from registries.topology.models import Registry
from tests.registries.access.cast import make_person, make_registry, make_robot, make_team


@dataclass
class Town:
    """Everybody by name."""

    people: dict[str, User]
    payments: Team
    shop: Team
    robbie: RobotAccount
    prod: Registry
    sandbox: Registry

    def __getitem__(self, name: str) -> User:
        return self.people[name]

    def wish(self, subject: Subject, pattern: str = "payments/**", **changes: Any) -> Wish:
        fields = {"actions": ("pull",), "registry": self.prod, "ends_at": in_days(30), **changes}
        return Wish(subject=subject, pattern=pattern, **fields)

    def ask(self, who: str = "dora", pattern: str = "payments/**", **changes: Any) -> AccessRequest:
        """Dora needs to look at an image of payments."""
        person = self.people[who]
        subject = changes.pop("subject", person)
        reason = changes.pop("reason", "comparing our base image with theirs")
        return ask_for_access(person, self.wish(subject, pattern, **changes), reason)

    def granted(self, who: str = "dora", by: str = "bob", **changes: Any) -> AccessRule:
        """Asked for and granted."""
        request = self.ask(who, **changes)
        grant_access(self.people[by], request, request.version)
        assert request.rule is not None
        return request.rule


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


def give_role(user: User, *roles: Role) -> User:
    for role in roles:
        RoleGrant.objects.create(user=user, role=role)
    return user


def mailed(topic: str) -> set[str]:
    """Who was written to about it."""
    return {row.destination.partition("@")[0] for row in Message.objects.filter(topic=topic, channel="mail")}


def make_town() -> Town:
    names = ("alice", "bob", "charlie", "dora", "sue", "ada", "sam", "audrey", "rita")
    people = {name: make_person(name) for name in names}
    give_role(people["ada"], Role.PLATFORM_ADMIN)
    give_role(people["sam"], Role.SECURITY)
    give_role(people["audrey"], Role.AUDITOR)
    give_role(people["rita"], Role.RELEASE_MANAGER)
    payments = make_team("payments", maintainers=(people["alice"], people["bob"]))
    shop = make_team("shop", people["dora"], maintainers=(people["sue"],))
    prod, sandbox = make_registry("prod"), make_registry("sandbox")
    Namespace.objects.create(zone=prod.zone, prefix="payments", team=payments)
    Namespace.objects.create(zone=prod.zone, prefix="shop", team=shop)
    robbie = make_robot("robbie", shop, "consumer")
    return Town(people, payments, shop, robbie, prod, sandbox)


def leave(team: Team, user: User) -> None:
    Membership.objects.filter(team=team, user=user).delete()
