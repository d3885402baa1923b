"""Requests, grants and whom they are for, in templates."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.web.request_page import sign_of
from portal.web.templatetags.signs import icon, state
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import whom
from registries.access.models import AccessRule
from registries.access.reviewing.review import findings_of

register = template.Library()


@register.simple_tag
def request_state(request: AccessRequest) -> SafeString:
    """Where a request stands, as icon and word."""
    return state(sign_of(request), request.state)


@register.simple_tag
def request_for(request: AccessRequest) -> str:
    """Whom it is for."""
    return whom(request)


@register.simple_tag
def grant_holder(rule: AccessRule) -> str:
    """Whom a rule names."""
    if rule.team:
        return f"team {rule.team}"
    return str(rule.user or rule.robot or ("everyone, strangers too" if rule.is_public else "everyone"))


@register.simple_tag
def grant_findings(rule: AccessRule, covered: Mapping[int, int]) -> SafeString:
    """What is odd about a grant, line by line."""
    found = findings_of(rule, covered)
    if not found:
        return format_html('<span class="muted">{}</span>', "nothing")
    lines = ((icon("attention"), f"{each.text}: rule {each.rule}" if each.rule else each.text) for each in found)
    return format_html_join("", '<div class="small state-attention">{} {}</div>', lines)
