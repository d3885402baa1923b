"""From a row in the admin to the question it raises."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from portal.users.models import User
from registries.access.counts.record_models import AccessUse, Denial
from registries.access.explaining.question import question_of
from registries.access.models import RobotAccount

register = template.Library()


@register.simple_tag
def explain_address(row: Any) -> str:
    """The admin's page that explains, filled in from a person, a robot, a refusal or a use; empty for other rows."""
    asked = _asked(row)
    return f"{reverse('admin-explain:page')}?{urlencode(asked)}" if asked else ""


def _asked(row: Any) -> dict[str, str]:
    if isinstance(row, User):
        return {"who": row.username}
    if isinstance(row, RobotAccount):
        return {"who": row.login}
    if isinstance(row, Denial):
        return dict(question_of(row) or {})
    if isinstance(row, AccessUse) and row.repository and row.asked:
        place = {"registry": row.registry.name, "repository": row.repository, "address": row.address}
        return {"who": row.principal, "action": row.asked.split(",")[-1], **place}
    return {}
