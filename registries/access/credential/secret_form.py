"""What is asked before a secret is issued: what for, until when, and, folded away, what it is good for. The admin, the web portal and
the pages of teams share it."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.networks import parse_address, split_networks
from registries.access.credential.credential_rotation import life_of
from registries.access.credential.credentials import Narrowing
from registries.access.credential.issuing import Wanted
from registries.access.credential.narrowing import ACTIONS, glob_fault
from registries.access.credential.secret_state import Stored
from registries.access.networks import validate_networks
from registries.topology.models import Reach, Registry

Choices = Sequence[tuple[str, str]]
WITHOUT_END: Final = "0"
USUAL: Final = "90"
LIVES_OF_PEOPLE: Final[Choices] = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
LIVES_OF_ROBOTS: Final[Choices] = (
    ("90", "90 days"), ("30", "30 days"), ("365", "a year"), (WITHOUT_END, "when it is revoked")
)  # fmt: skip
OVERLAPS: Final[Choices] = (
    ("24", "1 day"), ("1", "1 hour"), ("72", "3 days"), ("168", "7 days"), ("720", "30 days"), ("0", "at once"),
)  # fmt: skip
LONGEST: Final = timedelta(days=3660)
AS_THE_OLD: Final = "same"
KEPT: Final = 500  # characters of networks or registries beside one secret


class OnceForm(forms.Form):
    """A form that does its work once, however often it is sent: each time it is shown it has a word of its own."""

    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["once"].initial = secrets.token_urlsafe(16)

    def dress(self, widget_class: str) -> None:
        """Give what one writes into a class of the style sheet, where the page wants one."""
        for field in self.fields.values() if widget_class else ():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
                field.widget.attrs["class"] = widget_class

    def renew(self) -> None:
        """Another word, so that the form with what was typed can be sent once more."""
        sent: Any = self.data
        data = sent.copy()
        data[self.add_prefix("once")] = secrets.token_urlsafe(16)
        self.data = data


class SecretForm(OnceForm):
    """``address`` is where the reader is, offered as the only place from which the secret works."""

    name = forms.CharField(max_length=80, label="What is it for")
    days = forms.ChoiceField(label="It ends after", required=False)
    ends_on = forms.DateField(
        required=False, label="Or it ends with this day", widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day on which it works, in UTC.",
        error_messages={"invalid": "Write the day as 2027-01-31."},
    )  # fmt: skip
    actions = forms.MultipleChoiceField(
        choices=[(name, name) for name in ACTIONS], required=False, widget=forms.CheckboxSelectMultiple, label="Only to",
        help_text="None means whatever its owner may do.",
        error_messages={"invalid_choice": "%(value)s is no action; there are pull, push and delete."},
    )  # fmt: skip
    registries = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Only at", help_text="None means every registry.",
        error_messages={"invalid_choice": "There is no registry named %(value)s that takes our credentials."},
    )  # fmt: skip
    pattern = forms.CharField(
        max_length=255, required=False, label="Only in repositories",
        help_text="Such as payments/**: * stops at a slash, ** does not. Empty means all.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    networks = forms.CharField(
        max_length=2000, required=False, label="Only from networks", validators=[validate_networks],
        help_text="Where the client is, such as 10.0.0.0/8, 2001:db8::/32. Empty means anywhere.",
    )  # fmt: skip
    from_here = forms.BooleanField(required=False)

    def __init__(
        self, data: Any = None, *, address: str = "", lives: Choices = LIVES_OF_PEOPLE, example: str = "laptop"
    ) -> None:
        super().__init__(data)
        self.address = address if parse_address(address) else ""
        self._choices("days", lives)
        self.fields["days"].initial = USUAL
        self.fields["name"].help_text = f"For example: {example}."
        names = Registry.objects.filter(reach=Reach.ENFORCED).values_list("name", flat=True)
        self._choices("registries", [(name, name) for name in names])
        if self.address:
            self.fields["from_here"].label = f"Only from where I am now: {self.address}"
        else:
            del self.fields["from_here"]

    def _choices(self, name: str, choices: Choices) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def is_narrowed(self) -> bool:
        """Whether the folded part has something in it, and so is shown open."""
        return any(self[name].errors or self[name].data for name in self.narrow_names)

    @property
    def narrow_names(self) -> list[str]:
        """The fields that are folded away."""
        names = ("ends_on", "actions", "registries", "pattern", "networks", "from_here")
        return [name for name in names if name in self.fields]

    @property
    def narrow_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.narrow_names]

    def clean_pattern(self) -> str:
        pattern = str(self.cleaned_data["pattern"])
        host, _, rest = pattern.partition("/")
        if rest and Registry.objects.filter(host=host).exists():
            raise ValidationError(f"Leave {host}/ out and choose the registry by its name: {rest}.")
        if fault := glob_fault(pattern):
            raise ValidationError(fault)
        return pattern

    def clean_ends_on(self) -> Any:
        day = self.cleaned_data["ends_on"]
        today = timezone.now().date()
        if day is not None and day < today:
            raise ValidationError("This day is over; choose today or a later one.")
        if day is not None and day - today > LONGEST:
            raise ValidationError("That is more than ten years away; choose an earlier day.")
        return day

    def wanted(self, now: datetime) -> Wanted:
        """What was asked for, of a form that is valid."""
        given = self.cleaned_data
        return Wanted(given["name"], self._end(now), self._narrowing(), given["once"])

    def _end(self, now: datetime) -> datetime | None:
        day = self.cleaned_data["ends_on"]
        if day is not None:
            return datetime.combine(day + timedelta(days=1), time(), UTC)
        return end_after(self.cleaned_data["days"] or USUAL, now)

    def _narrowing(self) -> Narrowing:
        given = self.cleaned_data
        return Narrowing(
            pattern="" if given["pattern"] == "**" else given["pattern"],
            actions="" if len(given["actions"]) == len(ACTIONS) else ",".join(given["actions"]),
            registries=",".join(given["registries"]),
            networks=self._networks(),
        )

    def _networks(self) -> str:
        given = self.cleaned_data
        networks = list(split_networks(given["networks"]))
        if given.get("from_here") and self.address not in networks:
            networks.append(self.address)
        return ", ".join(networks)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "registries" in given and len(",".join(given["registries"])) > KEPT:
            self.add_error(
                "registries", "These are too many to be kept beside one secret; make several, or leave it open."
            )
        if "networks" in given and len(self._networks()) > KEPT:
            self.add_error("networks", "These are too many to be kept beside one secret; write wider networks.")
        return given


class ReplaceForm(OnceForm):
    """How long the old one goes on, and how long the new one lives."""

    overlap = forms.ChoiceField(choices=OVERLAPS, label="The old one still works for")
    days = forms.ChoiceField(label="The new one ends after")

    def __init__(self, data: Any = None, *, old: Stored, lives: Choices = LIVES_OF_PEOPLE) -> None:
        super().__init__(data)
        self.life = life_of(old)
        field: Any = self.fields["days"]
        field.choices = [*self._as_the_old(dict(lives)), *lives]
        field.initial = field.choices[0][0]

    def _as_the_old(self, lives: dict[str, str]) -> Choices:
        """Offered first, where the others are not the same."""
        if self.life is None:
            return [] if WITHOUT_END not in lives else [(WITHOUT_END, "when it is revoked, as the old one")]
        days = max(round(self.life / timedelta(days=1)), 1)
        return [(AS_THE_OLD, f"{days} day{'s' if days > 1 else ''}, as the old one did")]

    def end(self, now: datetime) -> datetime | None:
        """Of the new one; None for one that lives until it is revoked."""
        days = self.cleaned_data["days"]
        return now + self.life if days == AS_THE_OLD and self.life else end_after(days, now)

    def overlap_time(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


def end_after(days: str, now: datetime) -> datetime | None:
    """``0`` is no end."""
    return None if days == WITHOUT_END else now + timedelta(days=int(days))
