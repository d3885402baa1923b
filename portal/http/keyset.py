"""Which rows come after this one? A place in an ordered list is named by its row's own values, so that any page costs the same."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
Value = str | int | None


class BadCursorError(ValueError):
    """A cursor that is none of ours, or that belongs to another list."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place right after a row, or right before it, by the row's values in the order of the list."""

    values: tuple[Value, ...]
    is_backward: bool = False

    def encoded(self) -> str:
        """Text for an address."""
        said = {"before": self.values} if self.is_backward else self.values
        return urlsafe_b64encode(json.dumps(said).encode()).decode()


def read_cursor(text: str) -> Cursor:
    """Raises BadCursorError."""
    try:
        said = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError) as error:
        raise BadCursorError(text) from error
    is_backward = isinstance(said, dict)
    values = said.get("before") if is_backward else said
    if not isinstance(values, list) or not all(isinstance(value, Value) for value in values):
        raise BadCursorError(text)
    return Cursor(tuple(values), is_backward)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and whether there are more on either side."""

    rows: Sequence[Any]
    has_previous: bool
    has_next: bool


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order: fields, with "-" for falling, the last of them unique. Rows without a value come last, whichever way it runs."""

    terms: tuple[str, ...]

    def ordered(self, rows: QuerySet[Row], *, is_backward: bool = False) -> QuerySet[Row]:
        return rows.order_by(*(_order(term, is_backward) for term in self.terms))

    def page(self, rows: QuerySet[Row], cursor: Cursor | None, size: int) -> Page:
        """Rows from a place on, or before it, always in the order of the list. Raises BadCursorError."""
        is_backward = cursor is not None and cursor.is_backward
        try:
            if cursor is not None:
                rows = rows.filter(self._beyond(cursor))
            found = list(self.ordered(rows, is_backward=is_backward)[: size + 1])
        except (ValueError, TypeError, OverflowError, ValidationError) as error:
            raise BadCursorError("a value does not fit its field") from error
        has_more, shown = len(found) > size, found[:size]
        if is_backward:
            return Page(shown[::-1], has_previous=has_more, has_next=True)
        return Page(shown, has_previous=cursor is not None, has_next=has_more)

    def cursor(self, row: Model, *, is_backward: bool = False) -> Cursor:
        """The place of a row."""
        return Cursor(tuple(_value(row, term.removeprefix("-")) for term in self.terms), is_backward)

    def _beyond(self, cursor: Cursor) -> Q:
        if len(cursor.values) != len(self.terms):
            raise BadCursorError("it is of another list")
        return reduce(or_, self._steps(cursor))

    def _steps(self, cursor: Cursor) -> Iterator[Q]:
        """Beyond in the first field; or level there and beyond in the second; and so on."""
        level = Q()
        for term, value in zip(self.terms, cursor.values, strict=True):
            field = term.removeprefix("-")
            yield level & _past(field, value, is_falling=term.startswith("-"), is_backward=cursor.is_backward)
            level &= Q(**{f"{field}__isnull": True}) if value is None else Q(**{field: value})


def _order(term: str, is_backward: bool) -> Any:
    field, is_falling = F(term.removeprefix("-")), term.startswith("-")
    if is_backward:
        return field.asc(nulls_first=True) if is_falling else field.desc(nulls_first=True)
    return field.desc(nulls_last=True) if is_falling else field.asc(nulls_last=True)


def _past(field: str, value: Value, *, is_falling: bool, is_backward: bool) -> Q:
    if value is None:
        return Q(**{f"{field}__isnull": False}) if is_backward else Q(pk__in=[])
    further = Q(**{f"{field}__{'lt' if is_falling != is_backward else 'gt'}": value})
    return further if is_backward else further | Q(**{f"{field}__isnull": True})


def _value(row: Model, field: str) -> Value:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part, None)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, Value) else str(value)
