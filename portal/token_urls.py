"""Addresses of a process that answers the token endpoint alone. The one that is asked for all the time comes first."""

from django.urls import path

from portal.http.health import healthz, readyz
from registries.access import urls

handler404 = "portal.http.problem.not_found"
handler500 = "portal.http.problem.server_error"
urlpatterns = [*urls.urlpatterns, path("healthz", healthz), path("readyz", readyz)]
