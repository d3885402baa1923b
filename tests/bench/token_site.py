"""What the benchmark serves: the token endpoint as ``portal.token_wsgi`` serves it, and beside it a constant view behind the same
middleware. Loaded by the benchmark's own gunicorn alone."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from portal.token_wsgi import application


def bare(request: HttpRequest) -> JsonResponse:
    """The yardstick. With its length, as tokens have: without it the server would send chunks and be slower."""
    answer = JsonResponse({"status": "bare"})
    answer["Content-Length"] = str(len(answer.content))
    return answer


__all__ = ["application", "urlpatterns"]
urlpatterns = [path("bare", bare), path("", include("portal.token_urls"))]
# The root was read from the settings when the application was made; nothing has been resolved by it yet.
settings.ROOT_URLCONF = __name__
