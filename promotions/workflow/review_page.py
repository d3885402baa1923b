"""The review page: shown to whoever may see it, and answered by plain forms. The admin and the web portal share it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.http.problem import Problem
from portal.users.models import User
from promotions.workflow.decide import decide
from promotions.workflow.models import PromotionRequest
from promotions.workflow.queries import may_see
from promotions.workflow.requests import cancel_request, retry_request
from promotions.workflow.review import review_of

DECISIONS = {
    "approve": "You have approved.",
    "reject": "You have rejected it.",
    "withdraw": "Your approval is taken back.",
}
Steering = Callable[[User, PromotionRequest], object]
STEERING: Mapping[str, tuple[Steering, str]] = {
    "cancel": (lambda user, request: cancel_request(user.actor, request), "It is being called off."),
    "retry": (lambda user, request: retry_request(user.actor, request), "It was looked at again."),
}


def review_page(
    http: HttpRequest, promotion: PromotionRequest, *, template: str, extra: Mapping[str, Any] | None = None
) -> HttpResponse:
    """GET shows, POST acts on ``decision`` (approve, reject, withdraw, cancel, retry) with ``comment``, ``version`` and
    ``evidence_digest``. A refusal is shown on the same page with its own status, and the comment is kept."""
    if not may_see(http.user, promotion):
        raise Http404("There is no such promotion, or you may not see it.")
    problem: Problem | None = None
    if http.method == "POST" and isinstance(http.user, User):
        try:
            messages.success(http, act(http, http.user, promotion))
            return redirect(http.get_full_path())
        except Problem as refusal:
            problem = refusal
            promotion.refresh_from_db()
    context = {
        **(extra or {}),
        "review": review_of(promotion, http.user),
        "problem": problem,
        "comment": http.POST.get("comment", ""),
        "action": http.get_full_path(),
    }
    return render(http, template, context, status=problem.status if problem else 200)


def act(http: HttpRequest, user: User, promotion: PromotionRequest) -> str:
    """Do what the form says; the sentence to show. Raises Problem."""
    wanted = http.POST.get("decision", "")
    if wanted in STEERING:
        operation, done = STEERING[wanted]
        operation(user, promotion)
        return done
    version = http.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Problem(
            400, "bad_version", "The form came without the version of the page it was shown on. Send it again."
        )
    comment, seen = http.POST.get("comment", ""), http.POST.get("evidence_digest", "")
    decision = decide(user, promotion, wanted, comment, int(version), seen)
    return DECISIONS[decision.verdict]
