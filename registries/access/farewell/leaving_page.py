"""The admin's page of a person who leaves: what hangs on them, and one action that rotates and disables."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from portal.admin_site import has_role
from portal.panels import panels_for
from portal.users.models import Role, User
from registries.access.farewell.leaving import Holdings, TeamLeft, holdings_of, usual_days
from registries.access.farewell.offboard import Done, Farewell, OffboardRefusedError, offboard
from registries.access.models import Secret

ACTORS: Final = (Role.PLATFORM_ADMIN, Role.SECURITY)
ENDS: Final = (
    ("0", "revoke it now"),
    ("1", "ends in a day"),
    ("3", "ends in 3 days"),
    ("7", "ends in 7 days"),
    ("30", "ends in 30 days"),
)
SHOWN_OTHERS: Final = 200
BOX: Final = "border border-base-200 bg-white font-medium rounded-default px-3 py-2 text-sm dark:bg-base-900 dark:border-base-700"


class LeavingForm(forms.Form):
    """One choice for each secret that was shown, and one for each team that nobody would maintain."""

    def __init__(self, data: Any, holdings: Holdings) -> None:
        super().__init__(data)
        self.holdings = holdings
        for secret in holdings.secrets:
            self._ask(f"secret-{secret.pk}", f"{secret} goes on", ENDS, str(usual_days(secret)))
        others = _others(holdings) if holdings.lonely_teams else []
        for row in holdings.lonely_teams:
            self._ask(f"team-{row.team.pk}", f"Who maintains {row.team} now", _candidates(row, others), "")

    def _ask(self, name: str, label: str, choices: Iterable[Any], initial: str) -> None:
        widget = forms.Select(attrs={"class": BOX, "aria-label": label})
        self.fields[name] = forms.ChoiceField(
            choices=list(choices), initial=initial, required=False, label=label, widget=widget
        )

    def farewell(self) -> Farewell:
        """What was chosen, of a form that is valid."""
        people = User.objects.in_bulk([int(key) for key in self._chosen("team").values() if key])
        return Farewell(
            days={pk: int(days) for pk, days in self._chosen("secret").items() if days},
            successors={pk: people[int(key)] for pk, key in self._chosen("team").items() if key and int(key) in people},
        )

    def _chosen(self, kind: str) -> dict[int, str]:
        pairs = ((name.partition("-"), value) for name, value in self.cleaned_data.items())
        return {int(parts[2]): value for parts, value in pairs if parts[0] == kind}

    @property
    def secret_rows(self) -> list[tuple[Secret, forms.BoundField]]:
        return [(secret, self[f"secret-{secret.pk}"]) for secret in self.holdings.secrets]

    @property
    def team_rows(self) -> list[tuple[TeamLeft, forms.BoundField | None]]:
        return [(row, self[f"team-{row.team.pk}"] if row.is_only_maintainer else None) for row in self.holdings.teams]


def _others(holdings: Holdings) -> list[tuple[str, str]]:
    rows = User.objects.filter(is_active=True).exclude(pk=holdings.person.pk).order_by("username")[:SHOWN_OTHERS]
    return [(str(row.pk), row.username) for row in rows]


def _candidates(row: TeamLeft, others: list[tuple[str, str]]) -> list[Any]:
    members = [(str(person.pk), person.username) for person in row.candidates]
    rest = [pair for pair in others if pair not in members]
    groups = [("its members", members), ("others", rest)]
    return [("", "nobody yet; platform admins look after it"), *(group for group in groups if group[1])]


def leaving_page(request: HttpRequest, pk: int, context: dict[str, Any]) -> HttpResponseBase:
    """GET shows it to everybody with a role, POST acts for platform admins and security."""
    person = get_object_or_404(User, pk=pk)
    may_act = has_role(request, *ACTORS)
    form = LeavingForm(request.POST if request.method == "POST" else None, holdings_of(person, timezone.now()))
    status = 200
    if request.method == "POST":
        if not may_act:
            raise PermissionDenied("People are let go by platform admins and by security.")
        user: Any = request.user
        status = 400
        if form.is_valid():
            try:
                done = offboard(user.actor, person, form.farewell())
            except OffboardRefusedError as refusal:
                messages.error(request, str(refusal))
                status = 409
            else:
                messages.success(request, said(person, done))
                return redirect(request.path)
    context |= {
        "title": f"Leaving: {person}", "person": person, "form": form, "holdings": form.holdings, "may_act": may_act,
        "panels": panels_for("leaving", request.user, str(person.pk)), "is_self": request.user == person,
        "back": reverse("admin:users_user_change", args=[person.pk]),
    }  # fmt: skip
    return render(request, "admin/access/leaving.html", context, status=status)


def said(person: User, done: Done) -> str:
    """What was done, in one line."""
    if done.is_nothing:
        return f"Nothing was left to do: {person} had left before."
    counts = (
        (done.sessions, "sessions ended"), (done.tokens, "personal tokens revoked"), (len(done.revoked), "robot secrets revoked"),
        (len(done.ending), "robot secrets end soon"), (done.rules, "access rules ended"),
        (done.delegations, "delegations ended"), (len(done.teams), "teams handed over"),
    )  # fmt: skip
    parts = [f"{count} {what}" for count, what in counts if count]
    return f"{person} has left: {', '.join(['the account is off', *parts])}."
