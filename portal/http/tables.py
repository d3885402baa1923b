"""A list as a table: CSV that a spreadsheet opens without running anything."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.renderers import BaseRenderer

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvRenderer(BaseRenderer):
    """Rows of a page, one column per field; what is nested is written as JSON."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if isinstance(data, Mapping) and "results" not in data:
            return json.dumps(data, default=str).encode()  # a problem document, which says so in its type
        rows = data["results"] if isinstance(data, Mapping) else (data or [])
        return table_of(rows).encode()


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV with a line of headings; empty when there are no rows."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0].keys())
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = json.dumps(value, default=str) if isinstance(value, (dict, list, tuple)) else str(value)
    # A name that begins like a formula would be one to a spreadsheet.
    return f"'{text}" if text.startswith(_FORMULA) else text
