"""How does the admin say what a column holds? In words instead of names of fields, times as ages, digests short, JSON as facts."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import models
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from registries.fields import DigestField
from registries.oci.sizes import spell

Column = Callable[[models.Model], Any]
SHORT = 12
# Endings that say what type a field has; a reader sees that.
ENDINGS = (" at", " text", " bytes", " label")
SPELLED = {
    "tls": "TLS",
    "url": "URL",
    "ca": "CA",
    "ci": "CI",
    "ms": "(ms)",
    "kid": "key ID",
    "ttl": "life",
    "pem": "(PEM)",
}
NAMED = {"at": "when", "actor name": "by", "cause name": "because of", "actor kind": "by a", "verb": "what"}


def words_for(field: models.Field[Any, Any]) -> str:
    """``is_sync_enabled`` is "sync enabled", ``created_at`` "created"; words somebody chose stay as they are."""
    words = str(field.verbose_name)
    if words != field.name.replace("_", " "):
        return words
    if words in NAMED:
        return NAMED[words]
    words = words.removeprefix("is ")
    for ending in ENDINGS:
        words = words.removesuffix(ending)
    return " ".join(SPELLED.get(word, word) for word in words.split())


@cache
def labels_of(model: type[models.Model]) -> dict[str, str]:
    """Field -> its words, for forms."""
    found = {field.name: words_for(field) for field in model._meta.concrete_fields}
    return {name: f"{words[:1].upper()}{words[1:]}" for name, words in found.items()}


@cache
def column_of(field: models.Field[Any, Any]) -> Column:
    """A column of a list for a field that no admin class shows in its own way."""

    def show(row: models.Model) -> Any:
        return shown(field, row)

    marked: Any = show
    marked.__name__ = field.name
    marked.short_description = words_for(field)
    marked.admin_order_field = field.name
    marked.boolean = isinstance(field, models.BooleanField)
    column: Column = marked
    return column


def shown(field: models.Field[Any, Any], row: models.Model) -> Any:
    """The value as a list shows it."""
    value = getattr(row, field.name)
    if value in (None, ""):
        return None
    if isinstance(field, DigestField):
        return short_digest(value)
    if isinstance(field, models.DateTimeField):
        moment = localtime(value)
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), localize(moment))
    if field.name.endswith("_bytes"):
        return spell(value)
    if field.choices:
        return getattr(row, f"get_{field.name}_display")()
    return facts(value) if isinstance(field, models.JSONField) else value


def short_digest(value: Any) -> SafeString:
    """The first twelve characters, the whole on hover."""
    text = str(value)
    return format_html('<code title="{}">{}</code>', text, text.partition(":")[2][:SHORT] or text[:SHORT])


def is_raw(field: models.Field[Any, Any]) -> bool:
    """Whether the theme would show the value as a machine writes it."""
    return isinstance(field, models.JSONField) or field.name.endswith("_bytes")


@cache
def fact_of(field: models.Field[Any, Any]) -> Column:
    """A raw field on a page to be read."""

    def show(row: models.Model) -> Any:
        value = getattr(row, field.name)
        return facts(value) if isinstance(field, models.JSONField) or value is None else spell(value)

    marked: Any = show
    marked.__name__ = field.name
    marked.short_description = words_for(field)
    column: Column = marked
    return column


def facts(value: Any) -> Any:
    """JSON as one reads it: names with their values, lists with commas, nothing as a dash."""
    if value in (None, "", {}, []):
        return "–"
    if isinstance(value, dict):
        rows = ((name, facts(inner)) for name, inner in value.items())
        return format_html('<dl class="facts">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
    if isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        return format_html(
            '<ol class="facts-list">{}</ol>', format_html_join("", "<li>{}</li>", ((facts(inner),) for inner in value))
        )
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in value)
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
