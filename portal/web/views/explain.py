"""Why was this allowed or refused?"""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from portal.users.models import User
from portal.web.explain_form import QuestionForm
from portal.web.explain_links import links_of
from portal.web.viewer import for_people
from registries.access.counts.record_models import Denial
from registries.access.explain import explain_whole
from registries.access.explaining.question import question_of

SHOWN = 20


@for_people
def explain_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """The question as a form, the answer of the token policy, and what was refused to the one who looks."""
    form = QuestionForm(user, request.GET)
    context = {"form": form, "refused": refused_lately(user.username), **answer_to(form)}
    return render(request, "web/explain.html", context)


def answer_to(form: QuestionForm) -> dict[str, object]:
    """Question, answer and where it leads, for the templates; nothing where nothing sensible was asked. Raises PermissionDenied."""
    question = form.question() if form.is_bound else None
    if question is None:
        return {}
    found = explain_whole(question)
    return {"question": question, "answer": found, "links": links_of(form.viewer, question, found)}


def refused_lately(principal: str) -> list[tuple[Denial, str]]:
    """What was refused to somebody, with the address of its explanation where it was about a repository."""
    rows = Denial.objects.filter(principal=principal).select_related("registry")[:SHOWN]
    return [(row, address_of(row)) for row in rows]


def address_of(denial: Denial) -> str:
    """The page that explains it, with everything filled in."""
    asked = question_of(denial)
    return f"{reverse('web:explain')}?{urlencode(asked)}" if asked else ""
