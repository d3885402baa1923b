"""What may a page load? Strict everywhere; relaxed for the themed admin alone, whose scripts compile expressions."""

from typing import Any

from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

ADMIN_POLICY = {"script-src": ["'self'", "'unsafe-eval'"], "style-src": ["'self'", "'unsafe-inline'"]}
DOCS_POLICY = {"style-src": ["'self'", "'unsafe-inline'"]}


class ContentPolicyMiddleware(CSPMiddleware):
    """django-csp's header, with the directives of /admin/ and /api/docs/ put in for those pages."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        policy: dict[str, list[str]] | None = None
        if request.path.startswith("/admin/"):
            policy = ADMIN_POLICY
        elif request.path.startswith("/api/docs"):
            policy = DOCS_POLICY
        if policy is not None:
            marked: Any = response
            marked._csp_replace = policy
        answer: HttpResponseBase = super().process_response(request, response)
        return answer
