"""Pages by key: the next page starts after the last row of this one, so that a million rows cost no more than a hundred."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from portal.http.problem import Problem

PAGE = 100
PAGE_AT_MOST = 1000
TABLE_AT_MOST = 10_000


class KeysetPagination(CursorPagination):
    """``limit`` rows after the place that ``cursor`` names; views say their order in ``keyset``, with a unique column in it.

    A table (CSV) takes as many rows as one answer may hold, since nobody turns the pages of a file."""

    page_size = PAGE
    page_size_query_param = "limit"
    page_size_query_description = (
        f"Rows per page, {PAGE} when not given, at most {PAGE_AT_MOST} ({TABLE_AT_MOST} as CSV)."
    )
    cursor_query_description = "Where the page begins: taken from `next` or `previous` of another page, never made up."
    max_page_size = PAGE_AT_MOST

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        renderer: Any = getattr(request, "accepted_renderer", None)
        if renderer is not None and renderer.format == "csv":
            self.page_size = self.max_page_size = TABLE_AT_MOST
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, OverflowError, ValidationError) as error:
            raise _bad_cursor() from error

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        keyset: tuple[str, ...] = view.keyset
        return keyset

    def get_page_size(self, request: Request) -> int:
        wanted = request.query_params.get("limit")
        if wanted is None:
            return int(self.page_size or PAGE)
        if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
            raise Problem(400, "bad_limit", f"limit is a number from 1 to {self.max_page_size}.")
        return min(int(wanted), int(self.max_page_size or PAGE_AT_MOST))

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise _bad_cursor() from error


def _bad_cursor() -> Problem:
    return Problem(400, "bad_cursor", "This cursor is not one of ours; begin with the first page and follow `next`.")
