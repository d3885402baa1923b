"""The form of a question about access, and what it is filled in with; the same on the page and in the admin."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from django.utils import timezone

from portal.users.models import User
from registries.access.explaining.curiosity import REFUSAL, may_ask_about, names_to_ask_about
from registries.access.explaining.question import (
    BadQuestionError,
    Question,
    credentials_of,
    read_question,
    read_time,
)
from registries.access.models import Action
from registries.topology.models import Registry

FIELDS = ("who", "action", "registry", "repository", "address", "credential", "at")


class QuestionForm(forms.Form):
    """Who, what, where; and on request from which address, with which credential, at which time."""

    who = forms.CharField(max_length=80)
    action = forms.ChoiceField(choices=Action.choices)
    registry = forms.ModelChoiceField(Registry.objects.none(), to_field_name="name", empty_label=None)
    repository = forms.CharField(max_length=400, help_text="A tag or digest behind it changes nothing.")
    address = forms.CharField(
        max_length=45, required=False, label="From address", help_text="Where the client is; for rules with networks."
    )
    credential = forms.ChoiceField(required=False, help_text="A token or secret may be good for less than its owner.")
    at = forms.CharField(
        max_length=40, required=False, label="At", help_text="In UTC, such as 2027-01-31T12:00; empty means now."
    )

    def __init__(self, viewer: User, asked: QueryDict) -> None:
        first = {"who": viewer.username, "action": "pull", **asked.dict()}
        is_asked = bool(asked.get("repository"))
        super().__init__(data=first if is_asked else None, initial=None if is_asked else first)
        self.viewer = viewer
        registry: Any = self.fields["registry"]
        registry.queryset = Registry.objects.select_related("zone", "fronts__zone").order_by("zone__position", "name")
        credential: Any = self.fields["credential"]
        who = str(first["who"]).strip()
        listed = credentials_of(viewer, who) if may_ask_about(viewer, who) else []
        credential.choices = [("", "any, which narrows nothing"), *listed]
        self.fields["who"].widget.attrs["list"] = "whom"
        self.has_more = any(first.get(name) for name in FIELDS[4:])

    @property
    def whom(self) -> list[str]:
        """For completion."""
        return names_to_ask_about(self.viewer)

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS[:4]]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS[4:]]

    def question(self) -> Question | None:
        """What is asked; None where it makes no sense, which the form then says. Raises PermissionDenied."""
        if not self.is_valid():
            return None
        values = self.cleaned_data
        who = values["who"].replace("\0", "").strip()
        if not may_ask_about(self.viewer, who):
            raise PermissionDenied(REFUSAL)
        try:
            return read_question(
                who,
                values["action"],
                values["registry"],
                values["repository"],
                timezone.now(),
                address=values["address"].strip(),
                credential=values["credential"],
                at=read_time(values["at"]),
            )
        except BadQuestionError as error:
            self.add_error(error.field, str(error))
            return None
