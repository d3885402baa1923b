"""Namespaces in the admin: who owns which prefix. Every change is a claim, a handing over or a release."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.admin_site import ModelAdmin, display, register
from registries.access.models import Namespace
from registries.access.naming_rules.namespaces import (
    QUARANTINE,
    claim_namespace,
    hand_over_namespace,
    notes_on,
    release_namespace,
    with_wider,
)

MINUTES = int(QUARANTINE.total_seconds() // 60)


@register(Namespace)
class NamespaceAdmin(ModelAdmin):
    """A prefix stays what it is: another prefix is another namespace, and only its team changes."""

    list_display = ["prefix", "zone", "team", "wider_label"]
    list_filter = ["zone", "team"]
    list_select_related = ["zone", "team"]
    search_fields = ["prefix", "team__name"]
    autocomplete_fields = ["team"]
    fieldsets = [
        (
            None,
            {
                "fields": ["zone", "prefix", "team"],
                "description": "The longest prefix owns a name. When the team changes, nobody pushes there for "
                f"{MINUTES} minutes; when it is deleted, nobody pulls either: for so long the tokens of the team before are good.",
            },
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_wider(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Namespace | None = None) -> list[str]:
        return ["zone", "prefix"] if obj else []

    @display(description="cut out of")
    def wider_label(self, row: Any) -> str:
        return f"{row.wider}, of {row.wider_team}" if row.wider else "–"

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """What the form could not know, because somebody else was at it in the same moment, is told and not done."""
        try:
            answer: HttpResponseBase = super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(request.path)
        return answer

    def save_model(self, request: HttpRequest, obj: Namespace, form: Any, change: bool) -> None:
        user: Any = request.user
        if change:
            hand_over_namespace(user.actor, obj, obj.team)
        else:
            obj.pk = claim_namespace(user.actor, obj.zone, obj.prefix, obj.team).pk
        for text in notes_on(obj):
            messages.warning(request, text)

    def delete_model(self, request: HttpRequest, obj: Namespace) -> None:
        user: Any = request.user
        release_namespace(user.actor, obj)
        messages.warning(request, f"{obj.prefix} rests for {MINUTES} minutes: nobody pulls, pushes or deletes there.")
