"""Why was this allowed or refused?"""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from portal.users.models import User
from portal.web.viewer import for_people
from registries.access.explain import explain
from registries.access.models import Action, RobotAccount
from registries.access.queries import owner_team
from registries.access.record_models import Denial
from registries.access.who import UnknownPrincipalError, find_principal
from registries.oci.reference import is_repository
from registries.topology.models import Registry

SHOWN = 20


class QuestionForm(forms.Form):
    """Who, what, where."""

    who = forms.CharField(max_length=80)
    action = forms.ChoiceField(choices=Action.choices)
    registry = forms.ModelChoiceField(Registry.objects.all(), to_field_name="name", empty_label=None)
    repository = forms.CharField(max_length=255)

    def clean_repository(self) -> str:
        """A name by the grammar, without registry and tag."""
        name: str = self.cleaned_data["repository"].strip()
        if not is_repository(name):
            raise forms.ValidationError(
                "Not the name of a repository: write it without registry and tag, for example payments/api."
            )
        return name


@for_people
def explain_access(request: HttpRequest, user: User) -> HttpResponseBase:
    """The question as a form, the answer of the token policy, and what was refused to the one who looks."""
    first = {"who": user.username, "action": "pull", **request.GET.dict()}
    form = QuestionForm(first) if request.GET.get("repository") else QuestionForm(initial=first)
    denials = Denial.objects.filter(principal=user.username).select_related("registry")[:SHOWN]
    context: dict[str, object] = {"form": form, "denials": denials}
    if form.is_bound and form.is_valid():
        context |= _answer(user, form)
    return render(request, "web/explain.html", context)


def _answer(user: User, form: QuestionForm) -> dict[str, object]:
    who, action, registry, repository = (
        form.cleaned_data[name] for name in ("who", "action", "registry", "repository")
    )
    _check_curiosity(user, who)
    try:
        principal = find_principal(who)
    except UnknownPrincipalError as error:
        form.add_error("who", str(error))
        return {}
    return {
        "who": who,
        "action": action,
        "registry": registry,
        "repository": repository,
        "answer": explain(principal, action, registry, repository, timezone.now()),
        "owner": owner_team(registry.zone, repository),
    }


def _check_curiosity(user: User, who: str) -> None:
    """Everybody may ask about themselves, strangers and the robots of their teams; people with a role about anybody."""
    if user.has_role() or who in (user.username, "anonymous"):
        return
    robots = RobotAccount.objects.filter(team__memberships__user=user, name=who.removeprefix("robot."))
    if not (who.startswith("robot.") and robots.exists()):
        raise PermissionDenied(f"You may ask about yourself and about the robots of your teams, not about {who}.")
