"""Promotions: what is on its way, what is stuck, on what and on whom; ask for one; follow it; call it off."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from portal.http.problem import Problem
from portal.users.models import User
from portal.web.asked import asked
from portal.web.listing import Column, respond
from portal.web.promotion_form import PromotionForm, source_of
from portal.web.promotion_page import strip_of
from portal.web.promotion_rows import OPEN
from portal.web.viewer import for_people
from promotions.workflow.models import PromotionItem, PromotionPath, PromotionRequest, RequestState
from promotions.workflow.queries import request_seen_by, requests_seen_by
from promotions.workflow.requests import create_request
from promotions.workflow.review_page import review_page

COLUMNS = (
    Column("id", "Promotion", lambda row: row.public_id, "pk"),
    Column("what", "What", lambda row: "; ".join(_targets(row))),
    Column("path", "Path", lambda row: row.path.name, "path__name"),
    Column("state", "State", lambda row: row.state, "state"),
    Column("for", "For", lambda row: row.on_behalf_of.username, "on_behalf_of__username"),
    Column("asked", "Asked", lambda row: row.created_at, "created_at"),
    Column("waits_on", "", lambda row: row.reason_text),
)


def _targets(row: PromotionRequest) -> list[str]:
    return [f"{item.target_repository}:{','.join(item.target_tags)}@{item.digest}" for item in row.items.all()]


@for_people
def list_requests(request: HttpRequest, user: User) -> HttpResponseBase:
    """Open ones first; filters by state, path and text."""
    seen = requests_seen_by(user)
    counts = dict(seen.order_by().values_list("state").annotate(Count("pk")))
    rows = seen
    state, path, text = (asked(request, name) for name in ("state", "path", "q"))
    if state == "open":
        rows = rows.filter(state__in=OPEN)
    elif state:
        rows = rows.filter(state=state)
    if path:
        rows = rows.filter(path__name=path)
    if text:
        rows = rows.filter(pk__in=PromotionItem.objects.filter(target_repository__icontains=text).values("request"))
    context = {
        "states": [(value, label, counts.get(value, 0)) for value, label in RequestState.choices],
        "open_count": sum(counts.get(value, 0) for value in OPEN),
        "paths": PromotionPath.objects.all(),
        "is_filtered": bool(state or path or text),
    }
    return respond(request, "web/promotions.html", rows, COLUMNS, order="-id", context=context)


def _find(user: User, public_id: str) -> PromotionRequest:
    found = request_seen_by(user, public_id)
    if found is None:
        raise Http404(f"There is no promotion {public_id} that you may see.")
    return found


@for_people
def show_request(request: HttpRequest, user: User, public_id: str) -> HttpResponseBase:
    """Follow one request; those who may decide, retry or call off do it here."""
    found = _find(user, public_id)
    return review_page(request, found, template="web/promotion.html", extra=strip_of(found))


@for_people
def show_strip(request: HttpRequest, user: User, public_id: str) -> HttpResponseBase:
    """Steps, progress and regions alone, for the live refresh."""
    return render(request, "web/promotion_strip.html", strip_of(_find(user, public_id)))


@for_people
def ask_for_promotion(request: HttpRequest, user: User) -> HttpResponseBase:
    """The form, filled in from a tag's page; what was typed is never lost."""
    source = source_of(user, request.POST if request.method == "POST" else request.GET)
    form = PromotionForm(source, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_request(user.actor, **form.ask(), on_behalf_of=user, on_behalf_source="session")
        except Problem as problem:
            form.add_error(None, problem.detail)
        else:
            messages.success(request, f"Promotion {made.public_id} is on its way. This page follows it.")
            return redirect("web:promotion", public_id=made.public_id)
    return render(request, "web/promotion_new.html", {"form": form, "source": source})
