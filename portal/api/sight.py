"""What of the catalog may a caller see? What may be pulled; the rest looks as if it were not there."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request

from portal.api.callers import caller_of
from portal.api.robot_sight import visible_to_robot
from portal.web.visible import visible_repositories
from registries.access.models import RobotAccount
from registries.catalog.models import Repository


def repositories_seen_by(request: Any) -> QuerySet[Repository]:
    """The repositories a caller may look into: the same as on the pages for a person, what it may pull for a robot."""
    caller = caller_of(request)
    return visible_to_robot(caller) if isinstance(caller, RobotAccount) else visible_repositories(caller)


def repository_seen_by(request: Request, registry: str, name: str) -> Repository:
    """One of them; raises Http404 where it is absent or may not be seen."""
    rows = repositories_seen_by(request).select_related("registry__zone")
    row = rows.filter(registry__name=registry, name=name).first()
    if row is None:
        raise Http404
    return row
