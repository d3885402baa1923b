"""The admin's pages that issue a secret to a robot, or put another in a secret's place, and show it, this once and never again."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from registries.access.credential.narrowing import narrowing_of, say_narrowing
from registries.access.credential.secret_step import Step, issue_step, replace_step
from registries.access.models import RobotAccount, Secret
from registries.topology.models import Reach, Registry, ZoneKind

BOX = (
    "border border-base-200 bg-white font-medium rounded-default px-3 py-2 w-full text-sm "
    "dark:bg-base-900 dark:border-base-700"
)
ONLY_ADMINS = "Secrets of robots are issued by platform admins."


@never_cache
def secret_page(request: HttpRequest, pk: int, may_issue: bool, context: dict[str, Any]) -> HttpResponseBase:
    """GET asks, POST issues. The answer is the only place where the secret ever stands."""
    robot = get_object_or_404(RobotAccount.objects.select_related("team"), pk=pk)
    if not may_issue:
        raise PermissionDenied(ONLY_ADMINS)
    user: Any = request.user
    return _page(
        request, robot, issue_step(request, user, robot, BOX), {**context, "title": f"New secret of {robot.login}"}
    )


@never_cache
def replace_page(request: HttpRequest, pk: int, may_issue: bool, context: dict[str, Any]) -> HttpResponseBase:
    """The same for one that takes an old one's place."""
    old = get_object_or_404(Secret.objects.select_related("robot__team"), pk=pk)
    if not may_issue:
        raise PermissionDenied(ONLY_ADMINS)
    user: Any = request.user
    facts = {"old": old, "narrowing": say_narrowing(narrowing_of(old)), "is_live": old.is_live(timezone.now())}
    step = replace_step(request, user, old, BOX)
    return _page(request, old.robot, step, {**context, **facts, "title": f"Replace a secret of {old.robot.login}"})


def _page(request: HttpRequest, robot: RobotAccount, step: Step, context: dict[str, Any]) -> HttpResponseBase:
    context |= {**step.context(), "robot": robot, "host": _host_for(robot)}
    context["back"] = reverse("admin:access_robotaccount_change", args=[robot.pk])
    return render(request, "admin/access/issue_secret.html", context, status=step.status)


def _host_for(robot: RobotAccount) -> str:
    """Of the registry that a robot of this kind is most likely for; empty when there is none."""
    kind = ZoneKind.CI_SNAPSHOTS if robot.kind == RobotAccount.Kind.CI else ZoneKind.PROD
    first = Registry.objects.filter(reach=Reach.ENFORCED, zone__kind=kind, primary=None).first()
    return first.host if first else ""
