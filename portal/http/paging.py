"""The API's pages: the next one starts after the last row of this one, so that a million rows cost no more than a hundred."""

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from portal.http.keyset import BadCursorError, Cursor, Keyset, Page, read_cursor
from portal.http.problem import Problem

PAGE = 100
PAGE_AT_MOST = 1000
TABLE_AT_MOST = 10_000


class KeysetPagination(CursorPagination):
    """``limit`` rows after the place that ``cursor`` names; views say their order in ``keyset``, with a unique column in it.

    The framework's own says what a page looks like in answer and schema. A table (CSV) takes as many rows as one answer may hold,
    since nobody turns the pages of a file."""

    page_size = PAGE
    page_size_query_param = "limit"
    page_size_query_description = (
        f"Rows per page, {PAGE} when not given, at most {PAGE_AT_MOST} ({TABLE_AT_MOST} as CSV)."
    )
    cursor_query_description = "Where the page begins: taken from `next` or `previous` of another page, never made up."
    max_page_size = PAGE_AT_MOST

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self._open(request, view)
        text = request.query_params.get(self.cursor_query_param)
        try:
            self._here: Cursor | None = read_cursor(text) if text else None
            self._found: Page = self._keyset.page(queryset, self._here, self.get_page_size(request))
        except BadCursorError as error:
            raise _bad_cursor() from error
        return list(self._found.rows)

    def _open(self, request: Request, view: Any) -> None:
        renderer: Any = getattr(request, "accepted_renderer", None)
        if renderer is not None and renderer.format == "csv":
            self.page_size = self.max_page_size = TABLE_AT_MOST
        self._keyset = Keyset(view.keyset)
        self._address = request.build_absolute_uri()

    def get_page_size(self, request: Request) -> int:
        wanted = request.query_params.get("limit")
        if wanted is None:
            return int(self.page_size or PAGE)
        if not wanted.isascii() or not wanted.isdigit() or int(wanted) < 1:
            raise Problem(400, "bad_limit", f"limit is a number from 1 to {self.max_page_size}.")
        return min(int(wanted), int(self.max_page_size or PAGE_AT_MOST))

    def get_next_link(self) -> str | None:
        if not self._found.has_next:
            return None
        if self._found.rows:
            return self._link(self._keyset.cursor(self._found.rows[-1]))
        # Nothing comes before the place of a backward page: forward again from the beginning.
        return replace_query_param(self._address, self.cursor_query_param, "")

    def get_previous_link(self) -> str | None:
        if not self._found.has_previous:
            return None
        if self._found.rows:
            return self._link(self._keyset.cursor(self._found.rows[0], is_backward=True))
        return self._link(Cursor(self._here.values, is_backward=True)) if self._here else None

    def _link(self, cursor: Cursor) -> str:
        return replace_query_param(self._address, self.cursor_query_param, cursor.encoded())


def _bad_cursor() -> Problem:
    return Problem(400, "bad_cursor", "This cursor is not one of ours; begin with the first page and follow `next`.")
