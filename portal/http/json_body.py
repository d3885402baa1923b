"""How large and how deep may a body be? Ours are small; whoever sends more is told so, and costs us nothing."""

import io
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from portal.http.problem import Problem

MAX_BYTES: Final = 1024 * 1024


class BoundedJSONParser(JSONParser):
    """REST framework's own reads whatever comes."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises Problem 413 ``too_large``, ParseError."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise Problem(413, "too_large", f"The body is larger than {MAX_BYTES} bytes; nothing here needs as much.")
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
