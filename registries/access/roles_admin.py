"""What roles may do with single rows in the admin, where a whole class is too coarse."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied

from portal.http.problem import Problem


def refuse_by_problem(check: Callable[..., None], *arguments: Any) -> None:
    """The operation's own check; its refusal becomes the admin's."""
    try:
        check(*arguments)
    except Problem as problem:
        raise PermissionDenied(problem.detail) from problem
