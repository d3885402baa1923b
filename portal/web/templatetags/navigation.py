"""The main navigation in templates."""

from typing import TYPE_CHECKING, Any

from django import template

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
