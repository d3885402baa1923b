"""Restrictions in the admin: stop something for a while by a word that says what, see what is stopped, end it early."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from portal.admin_site import ModelAdmin, action, display, has_role, register
from registries.access.credential.secret_page import BOX
from registries.access.models import Restriction
from registries.access.restrictions import PRESETS, ROLES, end_restriction

OTHER = "other"
CHOICES = [(preset.code, preset.line) for preset in PRESETS.values()] + [(OTHER, "other: the actions chosen below")]
STATE_COLOURS = {"in force": "warning", "over": "info", "to come": "info"}


class RestrictionForm(forms.ModelForm[Restriction]):
    """``preset`` says in one word which actions are stopped; only for "other" they are chosen one by one."""

    preset = forms.ChoiceField(
        choices=CHOICES, initial="freeze", label="What is it", widget=forms.Select(attrs={"class": BOX})
    )

    class Meta:
        model = Restriction
        fields = "__all__"  # noqa: DJ007 - the page lists its fields itself

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.instance.code
        if "preset" in self.fields and self.instance.pk:
            self.fields["preset"].initial = code if code in PRESETS else OTHER

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = PRESETS.get(cleaned.get("preset", ""))
        if chosen is not None:
            cleaned |= {f"forbids_{name}": name in chosen.actions for name in ("pull", "push", "delete")}
        self.instance.code = chosen.code if chosen else OTHER
        return cleaned


@register(Restriction)
class RestrictionAdmin(ModelAdmin):
    """What a quota or a change of owner has written is read here, and ends with its cause."""

    form = RestrictionForm
    change_roles = ROLES
    list_display = [
        "code",
        "zone",
        "registry",
        "pattern",
        "forbids_label",
        "state_label",
        "starts_at",
        "ends_at",
        "reason",
    ]
    list_filter = ["code", "zone", "registry", "ends_at"]
    list_select_related = ["zone", "registry"]
    search_fields = ["code", "reason", "pattern"]
    actions = ["end_selected"]
    fieldsets = [
        (None, {"fields": ["preset", "reason"]}),
        (
            "Where",
            {"fields": ["zone", "registry", "pattern"], "description": "Neither zone nor registry means everywhere."},
        ),
        (
            "What it forbids",
            {
                "fields": ["forbids_pull", "forbids_push", "forbids_delete"],
                "description": "Looked at only where it is called other. It binds everybody, our own jobs included.",
            },
        ),
        (
            "When",
            {"fields": ["starts_at", "ends_at"], "description": "Without an end it stays until somebody ends it."},
        ),
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"starts_at": timezone.now(), **super().get_changeform_initial_data(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Restriction | None = None) -> Any:
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        first = (None, {"fields": ["code", "reason", "source_label", "source_key"]})
        return [first, *super().get_fieldsets(request, obj)[1:]]

    def has_change_permission(self, request: HttpRequest, obj: Restriction | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.source_label)

    def has_delete_permission(self, request: HttpRequest, obj: Restriction | None = None) -> bool:
        """What was stopped, and when, stays to be read; what is in force is ended instead."""
        is_past = obj is not None and not obj.source_label and not obj.is_in_force(timezone.now())
        return super().has_delete_permission(request, obj) and is_past

    def has_end_permission(self, request: HttpRequest) -> bool:
        return has_role(request, *ROLES)

    @display(description="forbids")
    def forbids_label(self, row: Restriction) -> str:
        return ", ".join(row.actions)

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, row: Restriction) -> str:
        now = timezone.now()
        if row.is_in_force(now):
            return "in force"
        return "to come" if row.starts_at > now else "over"

    @action(description="End now", permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Restriction]) -> None:
        user: Any = request.user
        rows = list(queryset)
        ours = [row for row in rows if not row.source_label]
        ended = sum(end_restriction(user.actor, row, timezone.now()) for row in ours)
        if ended:
            messages.success(request, f"{ended} ended. Tokens made from now on are free of it.")
        if len(ours) < len(rows):
            messages.warning(request, f"{len(rows) - len(ours)} end with what wrote them, and are left alone.")
