"""Teams: whom to ask, who belongs to one, and what it holds."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.http.problem import Problem
from portal.users.models import Membership, Team, User
from portal.users.team_members import let_go, take_in
from portal.web.asked import asked
from portal.web.listing import Column, respond
from portal.web.team_rows import sees_inside, team_page, teams_listed
from portal.web.viewer import for_people
from registries.access.robots import make_robot

COLUMNS = (
    Column("name", "Team", lambda row: row.name, "name"),
    Column("contact", "Where to reach it", lambda row: row.contact, "contact"),
    Column("maintainers", "Maintainers", lambda row: ", ".join(each.user.username for each in row.maintainers)),
    Column("people", "People", lambda row: row.people, "people", is_number=True),
    Column("robots", "Robots", lambda row: row.robot_count, "robot_count", is_number=True),
    Column("title", "", lambda row: row.title),
)


class MemberForm(forms.Form):
    """Somebody by their user name."""

    username = forms.CharField(max_length=64, label="User name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    is_maintainer = forms.BooleanField(required=False, label="as a maintainer")


class RobotForm(forms.Form):
    """A consumer; robots that push are made by platform admins, in the admin."""

    name = forms.CharField(
        max_length=57,
        label="Name",
        help_text="It logs in as robot.NAME.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(max_length=255, label="What it is for")


@for_people
def list_teams(request: HttpRequest, user: User) -> HttpResponseBase:
    """All of them, one's own marked."""
    rows, text, mine = teams_listed(user), asked(request, "q"), asked(request, "mine")
    if text:
        rows = rows.filter(name__icontains=text) | rows.filter(title__icontains=text)
    if mine:
        rows = rows.filter(pk__in=user.memberships.values("team"))
    context: dict[str, object] = {"is_filtered": bool(text or mine)}
    return respond(request, "web/teams.html", rows, COLUMNS, order="name", context=context)


def find_team(name: str) -> Team:
    """404 where there is none."""
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise Http404(f"There is no team {name}.")
    return found


def find_own_team(user: User, name: str) -> Team:
    """404 where there is none, and for those who do not see inside alike."""
    found = find_team(name)
    if not sees_inside(user, found):
        raise Http404(f"There is no team {name} that you may change.")
    return found


@for_people
def show_team(request: HttpRequest, user: User, name: str) -> HttpResponseBase:
    return _page(request, user, find_team(name))


@require_POST
@for_people
def add_member(request: HttpRequest, user: User, name: str) -> HttpResponseBase:
    """Take somebody in, or change what they are there."""
    team = find_own_team(user, name)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, user, team, member_form=form, status=400)
    try:
        made = take_in(user, team, form.cleaned_data["username"], as_maintainer=form.cleaned_data["is_maintainer"])
    except Problem as problem:
        form.add_error("username" if problem.code == "unknown_person" else None, problem.detail)
        return _page(request, user, team, member_form=form, status=problem.status)
    messages.success(request, f"{made.user} is a {made.role} of team {team}.")
    return redirect("web:team", name=team.name)


@require_POST
@for_people
def remove_member(request: HttpRequest, user: User, name: str, username: str) -> HttpResponseBase:
    team = find_own_team(user, name)
    found = Membership.objects.select_related("team", "user").filter(team=team, user__username=username).first()
    if found is None:
        raise Http404(f"{username} is not in team {team}.")
    try:
        let_go(user, found)
    except Problem as problem:
        return _page(request, user, team, problem=problem, status=problem.status)
    messages.success(request, f"{found.user} is not in team {team} any more.")
    return redirect("web:team", name=team.name)


@require_POST
@for_people
def add_robot(request: HttpRequest, user: User, name: str) -> HttpResponseBase:
    """A consumer, whatever else was sent along."""
    team = find_own_team(user, name)
    form = RobotForm(request.POST)
    if not form.is_valid():
        return _page(request, user, team, robot_form=form, status=400)
    try:
        made = make_robot(user, team, form.cleaned_data["name"], description=form.cleaned_data["description"])
    except Problem as problem:
        form.add_error("name" if problem.code == "invalid" else None, problem.detail)
        return _page(request, user, team, robot_form=form, status=problem.status)
    messages.success(request, f"{made} is there. Issue a secret, so that it can log in.")
    return redirect("web:team-robot", name=team.name, robot=made.name)


def _page(
    request: HttpRequest,
    user: User,
    team: Team,
    *,
    member_form: MemberForm | None = None,
    robot_form: RobotForm | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponseBase:
    forms_of_page = {
        "member_form": member_form or MemberForm(),
        "robot_form": robot_form or RobotForm(),
        "problem": problem,
    }
    return render(request, "web/team.html", team_page(user, team, timezone.now()) | forms_of_page, status=status)
