"""Addresses of a process that answers the token endpoint alone."""

from django.urls import include, path

from portal.http.health import healthz, readyz

handler404 = "portal.http.problem.not_found"
handler500 = "portal.http.problem.server_error"
urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("", include("registries.access.urls")),
]
