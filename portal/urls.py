"""All addresses, composed."""

from django.urls import include, path

from portal.admin_site import site
from portal.http.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("accounts/", include("portal.users.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/explain/", include("portal.web.admin_urls")),
    path("admin/", site.urls),
    path("api/", include("portal.api.urls")),
    path("", include("registries.access.urls")),
    path("", include("portal.web.urls")),
]
