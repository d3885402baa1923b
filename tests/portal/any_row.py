"""Rows of any model, filled with whatever its columns can hold: enough to look at a list, not to do business with."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import models

from registries.fields import DigestField

# Rows that are made together with others, and pages count on it.
NEVER_WITHOUT = {"promotions.promotionrequest": [("promotions.promotionitem", "request")]}

# What is inside a column of free form, where a page reads it.
CONTENTS: dict[str, Any] = {
    "access.denial.scope": "repository:payments/api:pull",
    "promotions.policysnapshot.body": {"gates": [], "rules": []},
    "promotions.promotionitem.target_tags": ["v1"],
    "promotions.promotionitem.difference": {"baseline": {"is_first": True}, "size_bytes": {"old": 0, "new": 1}},
}

_numbers = itertools.count(1)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_rows(model: type[models.Model], count: int) -> list[models.Model]:
    """Each row with related rows of its own, so that a list which fetches them one by one shows itself."""
    return [make_row(model) for _ in range(count)]


def make_row(model: type[models.Model], depth: int = 0) -> models.Model:
    row = _make_row(model, depth)
    for label, link in NEVER_WITHOUT.get(model._meta.label_lower, ()):
        _make_row(apps.get_model(label), depth + 1, **{link: row})
    return row


def _make_row(model: type[models.Model], depth: int, **given: Any) -> models.Model:
    values = {
        field.name: _value(field, depth)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in given and _is_wanted(field, depth)
    }
    for parent in model._meta.parents.values():
        if parent is not None:
            values.pop(parent.name, None)
    return model._default_manager.create(**(values | given))


def _is_wanted(field: models.Field[Any, Any], depth: int) -> bool:
    """Also optional relations, but not for ever: related rows have only what they must."""
    if _place(field) in CONTENTS:
        return True
    if field.is_relation:
        return not field.null or (depth == 0 and field.related_model is not field.model)
    return not field.has_default() or bool(field.unique)


def _place(field: models.Field[Any, Any]) -> str:
    return f"{field.model._meta.label_lower}.{field.name}"


def _value(field: models.Field[Any, Any], depth: int) -> Any:
    number = next(_numbers)
    if _place(field) in CONTENTS:
        return CONTENTS[_place(field)]
    if field.is_relation:
        return make_row(field.related_model, depth + 1)  # type: ignore[arg-type]
    if field.choices:
        return field.flatchoices[0][0]
    if isinstance(field, DigestField):
        return f"sha256:{sha256(str(number).encode()).hexdigest()}"
    if isinstance(field, models.EmailField):
        return f"somebody{number}@corp.example"
    if isinstance(field, models.URLField):
        return f"https://r{number}.example"
    if isinstance(field, models.CharField):
        return f"n{number}"[: field.max_length]
    if isinstance(field, models.DateTimeField):
        return _NOW
    if isinstance(field, models.DateField):
        return _NOW.date()
    return _plain(field, number)


def _plain(field: models.Field[Any, Any], number: int) -> Any:
    if field.null:
        return None
    kinds: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
        (models.BooleanField, False),
        (models.SmallIntegerField, number % 30_000),
        (models.IntegerField, number),
        (models.DecimalField, Decimal(1)),
        (models.FloatField, 1.0),
        (models.JSONField, {}),
        (models.BinaryField, b"x"),
        (models.UUIDField, None),
        (models.TextField, "text"),
    )
    return next((value for kind, value in kinds if isinstance(field, kind)), None)
