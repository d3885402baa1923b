"""Sizes, times, digests, states and icons in templates."""

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.web import signs
from portal.web.map_cards import product_title
from portal.web.map_model import MapFlow, RegistryMap
from portal.web.map_rows import health_of
from portal.web.promotion_rows import sign_of
from promotions.workflow.models import PromotionRequest
from registries.topology.models import Registry

register = template.Library()
STATES = ("well", "attention", "broken", "unknown")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; spoken only when it has a label of its own."""
    address = f"{static('web/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, address)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', address)


@register.simple_tag
def sprite(name: str) -> str:
    """Address of an icon, for use inside a picture."""
    return f"{static('web/icons.svg')}#{name}"


@register.simple_tag
def state(value: str, word: str = "") -> SafeString:
    """Icon and word for one of the four states."""
    known = value if value in STATES else "unknown"
    return format_html('<span class="state state-{}">{}{}</span>', known, icon(known), word or known)


@register.simple_tag
def chip(value: str, word: str = "") -> SafeString:
    """A state as a chip."""
    known = value if value in STATES else "unknown"
    return format_html('<span class="chip chip-{}">{}{}</span>', known, icon(known), word or known)


@register.simple_tag
def reach(value: str) -> SafeString:
    """How far our word reaches, with what it means."""
    meaning = {
        "enforced": "it trusts our tokens: what the rules say is what happens",
        "brokered": "we manage its own accounts and rights",
        "observed": "we see and report; its own rules decide",
    }
    return format_html('<span class="chip" title="{}">{}{}</span>', meaning.get(value, ""), icon(value), value)


@register.simple_tag
def copy(text: str, what: str = "") -> SafeString:
    """A button that copies."""
    label = f"Copy {what}" if what else "Copy"
    return format_html(
        '<button type="button" class="copy" data-copy="{}" title="{}" aria-label="{}">{}</button>',
        text,
        label,
        label,
        icon("copy"),
    )


@register.simple_tag
def command(text: str) -> SafeString:
    """A command, ready to copy."""
    return format_html('<div class="command"><pre><code>{}</code></pre>{}</div>', text, copy(text, "command"))


@register.simple_tag
def digest(value: Any, address: str = "") -> SafeString:
    """Twelve characters, the whole on hover and by the copy button."""
    text = str(value)
    short = signs.short_digest(text)
    shown = (
        format_html('<a class="mono" href="{}" title="{}">{}</a>', address, text, short)
        if address
        else format_html('<code title="{}">{}</code>', text, short)
    )
    return format_html('<span class="digest">{}{}</span>', shown, copy(text, "digest"))


@register.filter
def size(value: int | None) -> str:
    return signs.size_text(value) if value is not None else "–"


@register.filter
def number(value: int | None) -> str:
    return signs.number_text(value) if value is not None else "–"


@register.filter
def product(value: str) -> str:
    return product_title(value)


@register.simple_tag
def ago(value: datetime | str | None, never: str = "never") -> SafeString:
    """Relative time; the script of the page keeps it true and puts the exact one, in the reader's zone, on hover."""
    if not isinstance(value, datetime):  # templates hand over empty text for what has no row
        return format_html('<span class="muted">{}</span>', never)
    exact = value.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, signs.age_text(value, timezone.now())
    )


@register.filter
def age(value: str) -> str:
    """An ISO time as its age, for pictures."""
    return signs.age_text(datetime.fromisoformat(value), timezone.now())


@register.filter
def px(value: float) -> str:
    """A coordinate, short and with a point in every locale."""
    return f"{value:.1f}".removesuffix(".0")


@register.simple_tag
def flows_from(model: RegistryMap, name: str) -> tuple[MapFlow, ...]:
    """The flows that leave one registry of the map."""
    return model.flows_from(name)


@register.simple_tag
def health(registry: Registry) -> SafeString:
    """A registry's state, with what the last look found on hover."""
    value, word = health_of(registry)
    return format_html('<span title="{}">{}</span>', word, state(value))


@register.simple_tag
def promotion_state(request: PromotionRequest) -> SafeString:
    """Where a promotion stands, as icon and word."""
    return state(sign_of(request), request.state.replace("_", " "))
