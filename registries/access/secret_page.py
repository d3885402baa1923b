"""The admin's page that issues a secret to a robot and shows it, this once and never again."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from registries.access.credentials import issue_robot_secret
from registries.access.models import RobotAccount
from registries.topology.models import Reach, Registry, ZoneKind

DAYS = (("90", "90 days"), ("30", "30 days"), ("365", "a year"), ("0", "when it is revoked"))
BOX = (
    "border border-base-200 bg-white font-medium rounded-default px-3 py-2 w-full text-sm "
    "dark:bg-base-900 dark:border-base-700"
)


class SecretForm(forms.Form):
    """What it is for, and when it ends."""

    name = forms.CharField(
        max_length=80,
        label="What is it for",
        help_text="For example: the CI of payments.",
        widget=forms.TextInput(attrs={"class": BOX}),
    )
    days = forms.ChoiceField(
        choices=DAYS, initial="90", label="It ends after", required=False, widget=forms.Select(attrs={"class": BOX})
    )


@never_cache
def secret_page(request: HttpRequest, pk: int, may_issue: bool, context: dict[str, Any]) -> HttpResponseBase:
    """GET asks, POST issues. The answer is the only place where the secret ever stands."""
    robot = get_object_or_404(RobotAccount.objects.select_related("team"), pk=pk)
    if not may_issue:
        raise PermissionDenied("Secrets of robots are issued by platform admins.")
    form = SecretForm(request.POST or None)
    context |= {"robot": robot, "form": form, "title": f"New secret of {robot.login}"}
    context["back"] = reverse("admin:access_robotaccount_change", args=[robot.pk])
    if request.method == "POST" and form.is_valid():
        context |= _issued(request, robot, form)
    status = 400 if form.is_bound and not form.is_valid() else 200
    return render(request, "admin/access/issue_secret.html", context, status=status)


def _issued(request: HttpRequest, robot: RobotAccount, form: SecretForm) -> dict[str, Any]:
    user: Any = request.user
    days = int(form.cleaned_data["days"] or DAYS[0][0])
    ends = timezone.now() + timedelta(days=days) if days else None
    stored, secret = issue_robot_secret(user.actor, robot, form.cleaned_data["name"], ends)
    return {"stored": stored, "secret": secret, "host": _host_for(robot)}


def _host_for(robot: RobotAccount) -> str:
    """Of the registry that a robot of this kind is most likely for; empty when there is none."""
    kind = ZoneKind.CI_SNAPSHOTS if robot.kind == RobotAccount.Kind.CI else ZoneKind.PROD
    first = Registry.objects.filter(reach=Reach.ENFORCED, zone__kind=kind, primary=None).first()
    return first.host if first else ""
