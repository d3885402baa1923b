"""Why was this allowed or refused?"""

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.users.models import User
from portal.web.viewer import for_people
from registries.access.models import Action, Denial
from registries.topology.models import Registry


class QuestionForm(forms.Form):
    """Who, what, where."""

    who = forms.CharField(max_length=80, help_text="A user name or robot.NAME.")
    action = forms.ChoiceField(choices=Action.choices)
    registry = forms.ModelChoiceField(Registry.objects.all(), to_field_name="name", empty_label=None)
    repository = forms.CharField(max_length=255)


@for_people
def explain_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """The question as a form, the answer of the token policy, and what was refused to the one who looks."""
    first = {"who": user.username, **request.GET.dict()}
    form = QuestionForm(request.GET) if request.GET.get("repository") else QuestionForm(initial=first)
    context: dict[str, object] = {
        "form": form,
        "denials": Denial.objects.filter(principal=user.username).select_related("registry")[:20],
    }
    return render(request, "web/explain.html", context)
