"""What do API errors look like? ``application/problem+json`` (RFC 9457), one shape for every refusal."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from portal.http.request_id import current_request_id


class Problem(Exception):
    """A refusal with a stable code that machines branch on and a sentence that people read.

    ``status`` is the HTTP status, ``code`` the word of our tables, ``detail`` the sentence, ``errors`` per-field findings."""

    def __init__(
        self, status: int, code: str, detail: str, *, errors: list[dict[str, Any]] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.extra = errors or [], extra

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        return problem_body(self.status, self.code, self.detail, self.errors, **self.extra)


def problem_body(status: int, code: str, detail: str, errors: list[dict[str, Any]], **extra: Any) -> dict[str, Any]:
    """RFC 9457 members plus ``code``, ``errors`` and ``request_id``."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors,
        "request_id": current_request_id.get(),
        **extra,
    }


def problem_response(problem: Problem) -> JsonResponse:
    """The problem as an answer of a plain Django view."""
    return JsonResponse(problem.body(), status=problem.status, content_type="application/problem+json")


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """``handler404`` of a process that has no pages."""
    return problem_response(Problem(404, "not_found", "There is no such thing here."))


def server_error(request: HttpRequest) -> JsonResponse:
    """``handler500`` of a process that has no pages."""
    return problem_response(Problem(500, "server_error", "Something broke on our side. Tell us the request_id."))


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler: everything it knows becomes a problem document."""
    if isinstance(error, Problem):
        return _as_response(error.body(), error.status, {})
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is no such thing here, or you may not see it.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    # Late: the views' module loads the API's authentication, which refuses by Problem.
    from rest_framework.views import exception_handler

    answer = exception_handler(error, context)
    if answer is None or not isinstance(error, exceptions.APIException):
        return answer
    code, detail, errors = _describe(error)
    return _as_response(
        problem_body(answer.status_code, code, detail, errors), answer.status_code, dict(answer.headers)
    )


def _describe(error: exceptions.APIException) -> tuple[str, str, list[dict[str, Any]]]:
    if isinstance(error, exceptions.ValidationError):
        return "invalid", "The request has fields that cannot be taken; see errors.", _fields(error.detail)
    codes = error.get_codes()
    return (codes if isinstance(codes, str) else "error"), str(error.detail), []


def _fields(detail: Any, path: str = "") -> list[dict[str, Any]]:
    if isinstance(detail, dict):
        return [row for key, value in detail.items() for row in _fields(value, f"{path}.{key}" if path else str(key))]
    if isinstance(detail, list):
        return [row for value in detail for row in _fields(value, path)]
    return [{"field": path, "detail": str(detail)}]


def _as_response(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    kept = {name: value for name, value in headers.items() if name in {"WWW-Authenticate", "Retry-After", "Allow"}}
    return Response(body, status=status, headers=kept, content_type="application/problem+json")
