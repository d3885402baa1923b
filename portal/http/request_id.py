"""Which request was that? One id per request, from the proxy or ours, in logs, answers and audit events."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
_GOOD = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Reads or makes ``X-Request-ID`` and gives it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GOOD.fullmatch(given) else uuid.uuid4().hex
        mark = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(mark)
        response["X-Request-ID"] = request_id
        return response
