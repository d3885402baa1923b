"""What roles may do with single rows in the admin, where a whole class is too coarse."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from portal.admin_site import action, has_role
from portal.http.problem import Problem
from registries.access.credential.credentials import revoke_secret
from registries.access.models import AccessRule, Secret

ADMIN, SECURITY = "platform_admin", "security"


def refuse_by_problem(check: Callable[..., None], *arguments: Any) -> None:
    """The operation's own check; its refusal becomes the admin's."""
    try:
        check(*arguments)
    except Problem as problem:
        raise PermissionDenied(problem.detail) from problem


class DenialsOfSecurity:
    """Platform admins change every rule; security makes, changes and ends those that deny, and no other."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request, ADMIN, SECURITY)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request, ADMIN) or (has_role(request, SECURITY) and (obj is None or _denies(obj)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody but a platform admin is offered to allow, and a form that was sent all the same is refused by its field."""
        if db_field.name == "effect" and not has_role(request, ADMIN):
            kwargs["choices"] = [(AccessRule.Effect.DENY.value, AccessRule.Effect.DENY.label)]
            kwargs["initial"] = AccessRule.Effect.DENY.value
        return super().formfield_for_choice_field(db_field, request, **kwargs)  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not has_role(request, ADMIN) and (not _denies(obj) or (change and form.initial.get("effect") != obj.effect)):
            raise PermissionDenied("Security makes and changes rules that deny; grants are for platform admins.")
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The list asks for the right to delete once, whatever was ticked."""
        if not has_role(request, ADMIN) and queryset.exclude(effect=AccessRule.Effect.DENY).exists():
            raise PermissionDenied("Some of these are grants, which only platform admins delete.")
        super().delete_queryset(request, queryset)  # type: ignore[misc]


def _denies(rule: AccessRule) -> bool:
    """As it stands in the form and as it is."""
    return rule.effect == AccessRule.Effect.DENY


class SwitchedOffBySecurity:
    """What lets machines in can be switched off in a hurry, by security too; switched on again by platform admins."""

    link = ""

    def has_switch_off_permission(self, request: HttpRequest) -> bool:
        return has_role(request, ADMIN, SECURITY)

    @action(  # type: ignore[untyped-decorator]
        description="Switch off: nobody comes in by it, and what came in by it is revoked", permissions=["switch_off"]
    )
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset.filter(is_enabled=True))
        with transaction.atomic():
            for row in rows:
                row.is_enabled = False
                row.save(update_fields=["is_enabled"])
                self.report(request, row, "changed", {"fields": ["is_enabled"]})  # type: ignore[attr-defined]
                revoke_made_from(request, self.link, [row])
        messages.success(request, f"{len(rows)} switched off.")


def revoke_made_from(request: HttpRequest, link: str, rows: Iterable[models.Model]) -> None:
    """Credentials that were made by way of these end with them."""
    user: Any = request.user
    live = Secret.objects.filter(**{f"{link}__in": list(rows)}, revoked_at=None, expires_at__gt=timezone.now())
    for secret in live:
        revoke_secret(user.actor, secret)
