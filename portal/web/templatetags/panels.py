"""Panels that other apps put on our pages."""

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from portal.panels import Panel

register = template.Library()


@register.simple_tag
def panel_body(panel: Panel) -> SafeString:
    """A panel's own template with its own context, and nothing of the page's."""
    return render_to_string(panel.template, dict(panel.context))
