"""One of everything that is asked for, granted and handed out, and a picture of the rows to see whether any has changed."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models

from portal.approvals.models import Decision
from portal.users.models import Membership, RoleGrant, User
from registries.access.asking.request_models import AccessRequest
from registries.access.credential.credentials import issue_robot_secret
from registries.access.models import AccessRule, PersonalToken, RobotAccount, Secret
from tests.registries.access.town import Town, make_town

EVERYBODY = ("alice", "bob", "charlie", "dora", "sue", "ada", "sam", "audrey", "rita")
WATCHED: tuple[type[models.Model], ...] = (
    AccessRequest,
    AccessRule,
    RobotAccount,
    Secret,
    PersonalToken,
    Membership,
    RoleGrant,
    Decision,
    User,
)
# What a visit leaves behind by itself.
BESIDE = {"sessions.session", "access.policyepoch"}


@dataclass
class Grants:
    """Dora asked bob's team; sue looks after robbie; a grant that nobody needs lies about."""

    town: Town
    request: AccessRequest
    granted: AccessRequest
    loose: AccessRule
    secret: Secret
    other_secret: Secret
    places: dict[str, Any] = field(default_factory=dict)


def make_grants() -> Grants:
    town = make_town()
    rule = town.granted(pattern="payments/ui")
    request = town.ask(pattern="payments/api")
    loose = AccessRule.objects.create(user=town["dora"], registry=town.prod, pattern="payments/old")
    secret, _ = issue_robot_secret(town["ada"].actor, town.robbie, "runner", None)
    other = RobotAccount.objects.create(name="pay-web", team=town.payments)
    other_secret, _ = issue_robot_secret(town["ada"].actor, other, "runner", None)
    return Grants(town, request, rule.request, loose, secret, other_secret)


def picture() -> dict[str, list[dict[str, Any]]]:
    """All rows that anybody could want to change, as they are."""
    return {model._meta.label_lower: list(model._default_manager.order_by("pk").values()) for model in WATCHED}


def whole_picture() -> dict[str, list[dict[str, Any]]]:
    """All rows there are, but for what a visit leaves behind by itself."""
    models = [model for model in apps.get_models() if model._meta.label_lower not in BESIDE]
    return {model._meta.label_lower: list(model._default_manager.order_by("pk").values()) for model in models}
