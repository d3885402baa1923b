"""One robot of a team: what it is for, its secrets, and what it may."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.http.problem import Problem
from portal.users.models import User
from portal.users.team_members import may_steer_team
from portal.web.viewer import for_people
from portal.web.views.teams import find_own_team
from registries.access.credential.narrowing import narrowing_of, say_narrowing
from registries.access.credential.secret_rows import secrets_of
from registries.access.credential.secret_step import Step, issue_step, new_form, replace_step
from registries.access.models import AccessRule, RobotAccount, Secret
from registries.access.reviewing.review import in_force
from registries.access.robots import check_may_issue, describe_robot, retire_robot, revoke_secret_of

SECRETS_SHOWN = 20
P = ParamSpec("P")


class DescriptionForm(forms.Form):
    description = forms.CharField(max_length=255, required=False, label="What it is for")


def _find(user: User, team: str, name: str) -> RobotAccount:
    """A robot of this very team; 404 for whatever else."""
    own = find_own_team(user, team)
    found = RobotAccount.objects.select_related("team").filter(team=own, name=name).first()
    if found is None:
        raise Http404(f"There is no robot {name} in team {team} that you may see.")
    return found


View = Callable[Concatenate[HttpRequest, User, RobotAccount, P], HttpResponseBase]


def of_a_robot(view: View[P]) -> Callable[..., HttpResponseBase]:
    """A view of one robot of a team. What an operation refuses is said on the robot's page, and nothing is done."""

    @wraps(view)
    def found(
        request: HttpRequest, user: User, /, name: str, robot: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        own = _find(user, name, robot)
        try:
            return view(request, user, own, *args, **kwargs)
        except Problem as problem:
            return _page(request, user, own, problem=problem, status=problem.status)

    return found


@for_people
@of_a_robot
def show_robot(request: HttpRequest, user: User, robot: RobotAccount) -> HttpResponseBase:
    return _page(request, user, robot)


@require_POST
@never_cache
@for_people
@of_a_robot
def issue_secret(request: HttpRequest, user: User, robot: RobotAccount) -> HttpResponseBase:
    """Make a secret and show it, this once: the page is the only place where it ever stands."""
    check_may_issue(user, robot)
    step = issue_step(request, user, robot)
    return _page(request, user, robot, step=step, status=step.status)


@never_cache
@for_people
@of_a_robot
def replace_secret(request: HttpRequest, user: User, robot: RobotAccount, key: int) -> HttpResponseBase:
    """A new one beside the old one, which goes on for a while."""
    old = _secret_of(robot, key)
    check_may_issue(user, robot)
    step = replace_step(request, user, old)
    if step.issued is not None:
        return _page(request, user, robot, step=Step(new_form(request, robot), issued=step.issued), replaced=old)
    context = {
        "robot": robot,
        "team": robot.team,
        "old": old,
        "narrowing": say_narrowing(narrowing_of(old)),
        "is_live": old.is_live(timezone.now()),
        **step.context(),
    }
    return render(request, "web/team_secret_replace.html", context, status=step.status)


def _secret_of(robot: RobotAccount, key: int) -> Secret:
    found = Secret.objects.select_related("robot__team").filter(robot=robot, pk=key, is_keyless=False).first()
    if found is None:
        raise Http404(f"{robot} has no such secret.")
    return found


@require_POST
@for_people
@of_a_robot
def revoke_secret(request: HttpRequest, user: User, robot: RobotAccount, key: int) -> HttpResponseBase:
    secret = _secret_of(robot, key)
    revoke_secret_of(user, secret)
    messages.success(request, f"The secret “{secret.name or secret.handle}” is revoked. It no longer logs anything in.")
    return redirect("web:team-robot", name=robot.team.name, robot=robot.name)


@require_POST
@for_people
@of_a_robot
def describe(request: HttpRequest, user: User, robot: RobotAccount) -> HttpResponseBase:
    form = DescriptionForm(request.POST)
    if not form.is_valid():
        return _page(request, user, robot, status=400)
    describe_robot(user, robot, form.cleaned_data["description"])
    messages.success(request, "Written down.")
    return redirect("web:team-robot", name=robot.team.name, robot=robot.name)


@require_POST
@for_people
@of_a_robot
def retire(request: HttpRequest, user: User, robot: RobotAccount) -> HttpResponseBase:
    count = retire_robot(user, robot)
    messages.success(request, f"{robot} is retired, and {count} of its secrets revoked. It logs in nowhere any more.")
    return redirect("web:team", name=robot.team.name)


def _page(
    request: HttpRequest,
    user: User,
    robot: RobotAccount,
    *,
    step: Step | None = None,
    problem: Problem | None = None,
    replaced: Secret | None = None,
    status: int = 200,
) -> HttpResponseBase:
    now = timezone.now()
    rules = in_force(AccessRule.objects.filter(Q(robot=robot) | Q(team=robot.team), is_draft=False), now)
    may_steer = may_steer_team(user, robot.team)
    context = {
        "robot": robot,
        "team": robot.team,
        "secrets": secrets_of(robot.pk, now),
        "rules": rules.select_related("zone", "registry", "team", "robot", "user").order_by("-pk")[:SECRETS_SHOWN],
        "now": now,
        "may_steer": may_steer,
        "may_issue": may_steer
        and robot.is_active
        and (robot.kind == RobotAccount.Kind.CONSUMER or user.is_platform_admin),
        "description_form": DescriptionForm(initial={"description": robot.description}),
        "problem": problem,
        "replaced": replaced,
        **(step or Step(new_form(request, robot))).context(),
    }
    if step is not None and step.issued is not None:
        context["form"] = new_form(request, robot)
    return render(request, "web/team_robot.html", context, status=status)
