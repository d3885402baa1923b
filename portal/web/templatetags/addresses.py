"""Addresses of repositories, tags and digests in templates."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from portal.web import addresses
from portal.web.templatetags.signs import digest
from registries.catalog.models import Repository

register = template.Library()


@register.simple_tag
def repository_url(repository: Repository) -> str:
    return addresses.repository_url(repository)


@register.simple_tag
def tag_url(repository: Repository, tag: str) -> str:
    return addresses.tag_url(repository, str(tag))


@register.simple_tag
def passport(value: Any) -> SafeString:
    """A digest that leads to its passport."""
    return digest(value, reverse("web:digest", args=[str(value)]))
