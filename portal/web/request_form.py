"""The forms by which access is asked for and decided."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from portal.http.problem import Problem
from portal.users.models import User
from registries.access.asking.outlook import Subject, Wish
from registries.access.asking.patterns import MEANT
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.requests import LONGEST, may_ask_for, registries_to_ask_for
from registries.access.models import Action
from registries.topology.models import Registry

ONESELF = "me"
USUAL = timedelta(days=30)
# Where a refusal of the operation belongs on the form; all others stand above it.
FIELD_OF = {"bad_pattern": "pattern", "bad_actions": "actions", "bad_end": "ends_on", "reason_required": "reason"}


def end_of(day: date) -> datetime:
    """The last second of a day, in UTC."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def day_field(label: str, help_text: str) -> forms.DateField:
    """A day to come, within a year."""
    today = timezone.now().date()
    limits = {"type": "date", "min": today.isoformat(), "max": (today + LONGEST - timedelta(days=1)).isoformat()}
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs=limits, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )


class AskForm(forms.Form):
    """What, where, for whom, until when and why."""

    registry = forms.ModelChoiceField(Registry.objects.none(), to_field_name="name", empty_label=None)
    pattern = forms.CharField(max_length=255, label="Repository, or a pattern of several", help_text=MEANT)
    actions = forms.MultipleChoiceField(
        choices=Action.choices, label="To do what", widget=forms.CheckboxSelectMultiple, initial=[Action.PULL]
    )
    whom = forms.ChoiceField(label="For whom")
    reason = forms.CharField(
        max_length=2000,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever decides reads this, and it is kept with the rule.",
    )

    def __init__(
        self, user: User, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={"ends_on": timezone.now().date() + USUAL, **(initial or {})})
        teams, robots = may_ask_for(user)
        self.subjects: dict[str, Subject] = {ONESELF: user}
        self.subjects |= {f"team:{team.name}": team for team in teams}
        self.subjects |= {f"robot:{robot.name}": robot for robot in robots}
        registry: Any = self.fields["registry"]
        registry.queryset = Registry.objects.filter(pk__in=[row.pk for row in registries_to_ask_for()])
        registry.label_from_instance = lambda row: f"{row.name} ({row.zone.title or row.zone.name})"
        whom: Any = self.fields["whom"]
        whom.choices = [(key, _called(key, subject)) for key, subject in self.subjects.items()]
        self.fields["ends_on"] = day_field(
            "Until", "It ends by itself at the end of this day, UTC; a year from now at most."
        )
        self.order_fields(["registry", "pattern", "actions", "whom", "ends_on", "reason"])

    def wish(self) -> Wish:
        """What ``ask_for_access`` wants to know."""
        chosen = self.cleaned_data
        return Wish(
            self.subjects[chosen["whom"]],
            chosen["registry"],
            chosen["pattern"].strip(),
            tuple(chosen["actions"]),
            end_of(chosen["ends_on"]),
        )

    def show(self, problem: Problem) -> None:
        """A refusal at its field, or above the form."""
        self.add_error(FIELD_OF.get(problem.code), problem.detail)


class DecisionForm(forms.Form):
    """As asked, or less."""

    pattern = forms.CharField(max_length=255, label="Repositories", help_text="As asked, or narrower.")
    actions = forms.MultipleChoiceField(label="May", widget=forms.CheckboxSelectMultiple)
    comment = forms.CharField(
        max_length=2000,
        required=False,
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed to refuse.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, request: AccessRequest, data: Mapping[str, Any] | None = None) -> None:
        asked = request.actions.split(",")
        first = {
            "pattern": request.pattern,
            "actions": asked,
            "ends_on": request.ends_at.date(),
            "version": request.version,
        }
        super().__init__(data, initial=first)
        self.request = request
        actions: Any = self.fields["actions"]
        actions.choices = [(action, action) for action in asked]
        self.fields["ends_on"] = day_field("Until", "As asked, or earlier; at the end of the day, UTC.")
        self.order_fields(["pattern", "actions", "ends_on", "comment", "version"])

    def granted(self) -> dict[str, Any]:
        """What ``grant_access`` wants to know."""
        chosen = self.cleaned_data
        is_last_day = chosen["ends_on"] == self.request.ends_at.date()
        return {
            "pattern": chosen["pattern"],
            "actions": chosen["actions"],
            "comment": chosen["comment"],
            "ends_at": self.request.ends_at if is_last_day else end_of(chosen["ends_on"]),
        }


def _called(key: str, subject: Subject) -> str:
    return "myself" if key == ONESELF else str(subject) if key.startswith("robot:") else f"team {subject}"
