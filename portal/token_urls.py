"""Addresses of a process that answers the token endpoint alone."""

from django.urls import include, path

from portal.http.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("", include("registries.access.urls")),
]
