"""The main navigation in templates."""

from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.roles import has_role

if TYPE_CHECKING:
    from portal.web.navigation import Item

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: dict[str, Any]) -> "tuple[Item, ...]":
    """The entries for whoever looks, worked out once per page."""
    # Late: the admin theme renders a template while it is being imported, which loads every tag library; this one
    # would ask for the half-imported theme again.
    from portal.web.navigation import items_for

    request = context.get("request")
    if request is None or not request.user.is_authenticated:
        return ()
    known: tuple[Item, ...] | None = getattr(request, "portal_navigation", None)
    if known is None:
        known = request.portal_navigation = items_for(request)
    return known


@register.simple_tag(takes_context=True)
def access_tabs(context: dict[str, Any]) -> "tuple[Item, ...]":
    """The pages about access, for whoever looks."""
    from portal.web.navigation import access_tabs_for

    return access_tabs_for(context["request"])


@register.simple_tag(takes_context=True)
def admin_link(context: dict[str, Any], model: str, key: object) -> SafeString:
    """A way to the same row in the admin, for those who are let in there."""
    request = context.get("request")
    if not key or request is None or not has_role(request):
        return SafeString("")
    address = reverse(f"admin:{model}_change", args=[key])
    return format_html('<div class="actions"><a class="button" href="{}">In the admin</a></div>', address)
