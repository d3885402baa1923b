"""Forms of cleanup: an age as people write it, and a plan made by naming a registry."""

from typing import Any

from django import forms

from portal.admin_site import TextWidget
from registries.retention.models import Plan, RetentionPolicy
from registries.retention.sections import seconds_of

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60))


class PolicyForm(forms.ModelForm[RetentionPolicy]):
    """A policy; its age as 7d, 12h or 2w."""

    older_than = forms.CharField(
        label="May go after",
        required=False,
        widget=TextWidget(),
        help_text="A tag may go once it has not moved for so long: 30m, 12h, 7d, 2w. Empty: age does not count.",
    )

    class Meta:
        model = RetentionPolicy
        exclude = ["older_than_seconds", "next_plan_at"]  # noqa: DJ006 - the page lists its fields itself

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["older_than"].initial = self.age_text(self.instance.older_than_seconds)

    @staticmethod
    def age_text(seconds: int | None) -> str:
        """Seconds in the largest unit that divides them."""
        if seconds is None:
            return ""
        fitting = (f"{seconds // size}{unit}" for unit, size in _UNITS if seconds and seconds % size == 0)
        return next(fitting, f"{seconds}s")

    def clean_older_than(self) -> int | None:
        text = str(self.cleaned_data["older_than"]).strip()
        if not text:
            return None
        try:
            return seconds_of(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        spoken = (cleaned.get("older_than") is not None, cleaned.get("keep_newest"), cleaned.get("protect_tag_glob"))
        if not self.errors and not any(spoken):
            self.add_error("older_than", "Give an age, a number of newest tags, or tags to protect.")
        if cleaned.get("zone") and cleaned.get("registry"):
            self.add_error("zone", "Name a zone or a registry, not both.")
        if not 1 <= (cleaned.get("max_share_percent") or 0) <= 100:
            self.add_error("max_share_percent", "Give a share from 1 to 100 per cent.")
        return cleaned

    def save(self, commit: bool = True) -> RetentionPolicy:
        self.instance.older_than_seconds = self.cleaned_data["older_than"]
        policy: RetentionPolicy = super().save(commit)
        return policy


class PlanForm(forms.ModelForm[Plan]):
    """Which registry shall be looked at?"""

    class Meta:
        model = Plan
        fields = ["registry"]
