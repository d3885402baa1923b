"""Requests for access: mine, those that wait for me, all that I may see; ask, follow, decide, take back, ask again."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.http.problem import Problem
from portal.users.models import User
from portal.web.asked import asked
from portal.web.listing import Column, respond
from portal.web.request_form import AskForm, DecisionForm
from portal.web.request_page import page_of, sign_of
from portal.web.viewer import for_people
from registries.access.asking.request_decisions import grant_access, refuse_access
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import whom
from registries.access.asking.request_rights import requests_seen_by, waiting_for
from registries.access.asking.requests import ask_again, ask_for_access, withdraw_request
from registries.access.models import Action
from registries.topology.models import Registry

COLUMNS = (
    Column("id", "Request", lambda row: row.pk, "pk"),
    Column("what", "What", lambda row: f"{row.actions} {row.registry}/{row.pattern}", "pattern"),
    Column("for", "For", whom),
    Column("requester", "Asked by", lambda row: row.requester.username, "requester__username"),
    Column("state", "State", lambda row: row.state, "state"),
    Column("ends", "Ends", lambda row: row.ends_at, "ends_at"),
    Column("asked", "Asked", lambda row: row.created_at, "created_at"),
    Column("reason", "", lambda row: row.reason),
    Column("decided_by", "", lambda row: row.decided_by),
    Column("comment", "", lambda row: row.comment),
)
TABS = (("mine", "Mine"), ("waiting", "For me"), ("all", "All"))


@for_people
def list_requests(request: HttpRequest, user: User) -> HttpResponseBase:
    """Mine first; filters by state, registry and text."""
    waiting = waiting_for(user)
    show = asked(request, "show") or "mine"
    seen = requests_seen_by(user)
    rows = waiting if show == "waiting" else seen if show == "all" else seen.filter(requester=user)
    state, registry, text = (asked(request, name) for name in ("state", "registry", "q"))
    if state:
        rows = rows.filter(state=state)
    if registry:
        rows = rows.filter(registry__name=registry)
    if text:
        said = Q(pattern__icontains=text) | Q(reason__icontains=text) | Q(requester__username__icontains=text)
        rows = rows.filter(said | Q(team__name__icontains=text) | Q(robot__name__icontains=text))
    context = {
        "tabs": TABS,
        "show": show,
        "waiting_count": waiting.count(),
        "states": AccessRequest.State.values,
        "registries": Registry.objects.filter(access_requests__in=seen).distinct(),
        "is_filtered": bool(state or registry or text),
        "sign_of": sign_of,
    }
    return respond(request, "web/access_requests.html", rows, COLUMNS, order="-id", context=context)


@for_people
def ask(request: HttpRequest, user: User) -> HttpResponseBase:
    """The form, filled in from wherever somebody was refused; what was typed is never lost."""
    form = AskForm(user, request.POST if request.method == "POST" else None, _first(request))
    context: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            made = ask_for_access(user, form.wish(), form.cleaned_data["reason"])
        except Problem as problem:
            form.show(problem)
            context |= {"team": problem.extra.get("team"), "waiting": problem.extra.get("request")}
        else:
            messages.success(request, "Asked. Those who may decide have been told, and you will be.")
            return redirect("web:access-request", key=made.pk)
    return render(request, "web/access_request_new.html", context, status=400 if form.errors else 200)


def _first(request: HttpRequest) -> dict[str, object]:
    """What the address says: registry, repository, action, and for whom."""
    actions = [action for action in Action.values if action in asked(request, "action").split(",")]
    first: dict[str, object] = {
        "registry": asked(request, "registry"),
        "pattern": asked(request, "repository"),
        "whom": asked(request, "for"),
    }
    return {name: value for name, value in first.items() if value} | ({"actions": actions} if actions else {})


def _find(user: User, key: int) -> AccessRequest:
    """404 where there is none and where it may not be seen alike."""
    found = requests_seen_by(user).filter(pk=key).first()
    if found is None:
        raise Http404(f"There is no request {key} that you may see.")
    return found


@for_people
def show_request(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """Follow it; those who may decide do it here."""
    found = _find(user, key)
    return _page(request, user, found, DecisionForm(found))


@require_POST
@for_people
def decide_request(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """Grant or refuse what was on the page."""
    found = _find(user, key)
    form = DecisionForm(found, request.POST)
    is_grant = request.POST.get("decision") == "grant"
    if not form.is_valid() and (is_grant or "version" in form.errors or "comment" in form.errors):
        return _page(request, user, found, form, status=400)
    try:
        if is_grant:
            grant_access(user, found, form.cleaned_data["version"], **form.granted())
        else:
            refuse_access(user, found, form.cleaned_data["version"], form.cleaned_data["comment"])
    except Problem as problem:
        return _page(request, user, _find(user, key), form, problem, status=problem.status)
    messages.success(request, f"{found.get_state_display().capitalize()}. {found.requester} has been told.")
    return redirect("web:access-request", key=found.pk)


@require_POST
@for_people
def withdraw(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    found = _find(user, key)
    try:
        withdraw_request(user, found)
    except Problem as problem:
        return _page(request, user, _find(user, key), DecisionForm(found), problem, status=problem.status)
    messages.success(request, "Taken back. Nobody has to decide about it any more.")
    return redirect("web:access-requests")


@require_POST
@for_people
def prolong(request: HttpRequest, user: User, key: int) -> HttpResponseBase:
    """One click asks for the same for as long again."""
    found = _find(user, key)
    try:
        made = ask_again(user, found)
    except Problem as problem:
        return _page(request, user, found, DecisionForm(found), problem, status=problem.status)
    messages.success(request, "Asked for again. Until it is decided, what you have stays as it is.")
    return redirect("web:access-request", key=made.pk)


def _page(
    request: HttpRequest,
    user: User,
    found: AccessRequest,
    form: DecisionForm,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponseBase:
    context = {**page_of(user, found, timezone.now()), "form": form, "problem": problem}
    return render(request, "web/access_request.html", context, status=status)
