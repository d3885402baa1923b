"""One way to list anything: filters and order live in the address, pages go by key instead of by number, and the same rows come as
CSV or JSON."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.http.keyset import BadCursorError, Keyset, Page, read_cursor

PAGE = 50
MOST_EXPORTED = 50_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """``order`` is the field a click sorts by; ``value`` what the export writes. Without a title it is exported only."""

    key: str
    title: str
    value: Callable[[Any], object]
    order: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head as the page shows it."""

    column: Column
    address: str
    sort: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows with what the template needs round them."""

    rows: Sequence[Any]
    heads: tuple[Head, ...]
    next_address: str
    first_address: str
    csv_address: str
    json_address: str


def respond(
    request: HttpRequest,
    template: str,
    rows: QuerySet[Any],
    columns: tuple[Column, ...],
    *,
    order: str,
    context: dict[str, object] | None = None,
    tie: str = "pk",
    about: Callable[[Sequence[Any]], dict[str, object]] | None = None,
) -> HttpResponseBase:
    """The page, or the export that the address asks for. ``order`` is a column's key, with "-" for falling; ``tie`` the unique field by
    which rows that are level are told apart; ``about`` adds to the context what has to be looked up for the rows of the page."""
    wanted = request.GET.get("format", "")
    chosen = _chosen(request.GET.get("sort", ""), columns) or _chosen(order, columns)
    if chosen is None:
        raise LookupError(f"no column {order}")
    column, is_falling = chosen
    keyset = Keyset((f"{'-' if is_falling else ''}{column.order}", tie))
    if wanted in ("csv", "json"):
        return _export(wanted, keyset.ordered(rows)[:MOST_EXPORTED], columns)
    page = _page(request, rows, keyset)
    following = _address(request, after=keyset.cursor(page.rows[-1]).encoded()) if page.has_next else ""
    listing = _listing(request, page.rows, following, columns, column, is_falling)
    more = about(page.rows) if about else {}
    return render(request, template, {"listing": listing, **(context or {}), **more})


def _chosen(sort: str, columns: tuple[Column, ...]) -> tuple[Column, bool] | None:
    key = sort.removeprefix("-")
    found = next((column for column in columns if column.key == key and column.order), None)
    return (found, sort.startswith("-")) if found else None


def _page(request: HttpRequest, rows: QuerySet[Any], keyset: Keyset) -> Page:
    """Pages only go on; back is what the browser is for."""
    after = request.GET.get("after", "")
    try:
        cursor = replace(read_cursor(after), is_backward=False) if after else None
        return keyset.page(rows, cursor, PAGE)
    except BadCursorError as error:
        raise BadRequest("The place to go on from is malformed; begin at the first page.") from error


def _listing(
    request: HttpRequest,
    rows: Sequence[Any],
    following: str,
    columns: tuple[Column, ...],
    column: Column,
    is_falling: bool,
) -> Listing:
    heads = tuple(_head(request, each, column, is_falling) for each in columns if each.title)
    first = _address(request, after="") if request.GET.get("after") else ""
    return Listing(rows, heads, following, first, _address(request, format="csv"), _address(request, format="json"))


def _head(request: HttpRequest, column: Column, sorted_by: Column, is_falling: bool) -> Head:
    is_mine = column.key == sorted_by.key
    sort = ("descending" if is_falling else "ascending") if is_mine else ""
    turned = column.key if is_mine and is_falling else f"-{column.key}" if is_mine else column.key
    return Head(column, _address(request, sort=turned, after="") if column.order else "", sort)


def _address(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("format", None)
    if "format" in changes:
        query.pop("after", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"?{query.urlencode()}"


def _export(wanted: str, rows: QuerySet[Any], columns: tuple[Column, ...]) -> HttpResponseBase:
    if wanted == "json":
        return JsonResponse({"rows": [{column.key: _plain(column.value(row)) for column in columns} for row in rows]})
    answer = StreamingHttpResponse(_csv_lines(rows, columns), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="portreeve.csv"'
    return answer


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(rows: Iterable[Any], columns: tuple[Column, ...]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow([column.key for column in columns])
    for row in rows:
        yield writer.writerow([_cell(column.value(row)) for column in columns])


def _cell(value: object) -> str:
    """Text that a spreadsheet would take for a formula is set behind an apostrophe."""
    text = "" if value is None else str(_plain(value))
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, int) else text


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
