"""Does the person behind a request hold a role? Kept apart from the admin, so that templates can ask without loading it."""

from typing import Any, Protocol

from django.http import HttpRequest


class _RoleHolder(Protocol):
    def has_role(self, *roles: str) -> bool: ...


def has_role(request: HttpRequest, *roles: str) -> bool:
    """Whether the person behind the request holds one of the roles; any role at all when none is named."""
    user: Any = request.user
    if not user.is_authenticated or not user.is_active:
        return False
    holder: _RoleHolder = user
    return holder.has_role(*roles)
