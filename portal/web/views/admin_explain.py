"""Why was this allowed or refused? In the admin, where a proposed rule becomes a draft by one click."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from portal.admin_site import site
from portal.users.models import User
from portal.web.explain_form import FIELDS, QuestionForm
from portal.web.views.explain import answer_to
from registries.access.drafting.drafts import make_draft
from registries.access.explain import case_of
from registries.access.explaining.changes import what_would_change

BOX = (
    "border border-base-200 bg-white font-medium rounded-default px-3 py-2 w-full text-sm "
    "dark:bg-base-900 dark:border-base-700"
)


def explain_page(request: HttpRequest) -> HttpResponseBase:
    """The same question and answer as in the web portal, with rules as links and proposals that can be made drafts."""
    form = _dressed(QuestionForm(_viewer(request), request.GET))
    context = {
        **site.each_context(request),
        "title": "Explain access",
        "form": form,
        **answer_to(form),
        "asked": _asked(form),
    }
    return render(request, "admin/access/explain.html", context)


@require_POST
def draft_view(request: HttpRequest) -> HttpResponseBase:
    """POST: the rule of that number that the explanation proposes becomes a draft; nothing is in force by it."""
    viewer = _viewer(request)
    if not viewer.is_platform_admin:
        raise PermissionDenied("Drafts of rules are made by platform admins.")
    form = QuestionForm(viewer, request.POST)
    question = form.question() if form.is_bound else None
    back = f"{reverse('admin-explain:page')}?{urlencode(_asked(form))}"
    if question is None:
        messages.error(request, "The question makes no sense any more; ask it again.")
        return redirect(back)
    rules = what_would_change(case_of(question)).rules
    number = request.POST.get("number", "0")
    chosen = rules[int(number)] if number.isascii() and number.isdigit() and int(number[:4]) < len(rules) else None
    if chosen is None:
        messages.error(request, "No rule can help here; what would have to change is told below.")
        return redirect(back)
    where = f"{question.registry.name}/{question.repository}"
    draft = make_draft(viewer.actor, chosen, f"so that {question.who} may {question.action} {where}")
    messages.success(
        request, "A draft, which is not in force. Give it an end and a reason, then hold it against what was asked."
    )
    return redirect("admin:access_accessrule_change", draft.pk)


def _viewer(request: HttpRequest) -> User:
    viewer: Any = request.user
    person: User = viewer
    return person


def _dressed(form: QuestionForm) -> QuestionForm:
    """As the fields of the admin's theme look."""
    for field in form.fields.values():
        field.widget.attrs["class"] = BOX
    return form


def _asked(form: QuestionForm) -> dict[str, str]:
    """The question as it was asked, to ask it again."""
    data: Any = form.data if form.is_bound else {}
    return {name: str(data[name]) for name in FIELDS if data.get(name)}
