"""In the admin: help somebody who has lost the telephone and the recovery codes."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import action
from portal.users.accounts import remove_second_factor
from portal.users.models import User


class SecondFactorPage:
    """Beside the admin class of people."""

    actions = ["remove_second_factors"]

    @action(description="Remove the second factor: they have lost it and are known to you", permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor_user: Any = request.user
        removed = [person.username for person in queryset if remove_second_factor(actor_user.actor, person)]
        told = f"Removed from {', '.join(removed)}." if removed else "None of them had one, so nothing was removed."
        messages.success(request, told)
