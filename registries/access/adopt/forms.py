"""What the page of a registry that is brought in asks for."""

from typing import Any

from django import forms

from portal.users.models import Team, User
from registries.access.adopt.htpasswd import MAX_FILE_BYTES
from registries.access.adopt.models import Adoption
from registries.access.credential.secret_page import BOX
from registries.access.models import RobotAccount
from registries.topology.models import Registry

MAX_LOG_BYTES = 32 * 1024 * 1024
DAYS = (("90", "90 days"), ("30", "30 days"), ("180", "180 days"))


def _box(widget: type[forms.Widget], **attributes: Any) -> forms.Widget:
    return widget(attrs={"class": BOX, **attributes})


class AdoptionForm(forms.ModelForm[Adoption]):
    """Which registry."""

    class Meta:
        model = Adoption
        fields = ("registry",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "registry" in self.fields:
            field: Any = self.fields["registry"]
            field.queryset = Registry.objects.filter(adoption=None, fronts=None).exclude(zone__kind="upstream")
            field.help_text = "A server of your own that people already log in to."


class UsersForm(forms.Form):
    """The htpasswd file, and whom its users are to act as."""

    file = forms.FileField(required=False, label="htpasswd file", widget=_box(forms.FileInput))
    text = forms.CharField(
        required=False,
        label="or its lines",
        widget=_box(forms.Textarea, rows=3),
        max_length=MAX_FILE_BYTES,
        strip=False,
    )
    team = forms.ModelChoiceField(
        Team.objects.all(), required=False, label="Team of the new robot accounts", widget=_box(forms.Select)
    )
    kind = forms.ChoiceField(
        choices=RobotAccount.Kind.choices,
        initial=RobotAccount.Kind.CONSUMER,
        label="What they are",
        widget=_box(forms.Select),
    )
    robot = forms.ModelChoiceField(
        RobotAccount.objects.filter(is_active=True), required=False, label="or one robot account for all of them",
        widget=_box(forms.Select),
    )  # fmt: skip
    names = forms.CharField(
        required=False, label="Only these user names", widget=_box(forms.TextInput), max_length=2000,
        help_text="With spaces between them, * for anything; empty means all. So the CI of one team can be imported by itself.",
    )  # fmt: skip
    days = forms.ChoiceField(choices=DAYS, initial="90", label="The old passwords end after", widget=_box(forms.Select))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("file")) == bool(cleaned.get("text")):
            self.add_error("file", "Give the file or its lines, one of the two.")
        if bool(cleaned.get("team")) == bool(cleaned.get("robot")):
            self.add_error("team", "Choose a team for new robot accounts, or one robot account that is there.")
        return cleaned

    def data_given(self) -> bytes:
        """The bytes of the file."""
        file = self.cleaned_data["file"]
        given: bytes = file.read(MAX_FILE_BYTES + 1) if file else self.cleaned_data["text"].encode()
        return given


class LogForm(forms.Form):
    """The log, as large as a browser should carry."""

    log = forms.FileField(label="Log file, gzip too", widget=_box(forms.FileInput))

    def clean_log(self) -> Any:
        log = self.cleaned_data["log"]
        if log.size > MAX_LOG_BYTES:
            text = f"It is larger than {MAX_LOG_BYTES >> 20} MiB. Read it where it lies, with the command shown here."
            raise forms.ValidationError(text)
        return log


class NameForm(forms.Form):
    """Who a user name is."""

    username = forms.CharField(max_length=255, strip=False)
    person = forms.ModelChoiceField(User.objects.filter(is_active=True), required=False)
