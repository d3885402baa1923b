"""Pages of ours under the admin's address that belong to no list there."""

from django.urls import path

from portal.admin_site import site
from portal.web.views import admin_explain

app_name = "admin-explain"
urlpatterns = [
    path("", site.admin_view(admin_explain.explain_page), name="page"),
    path("draft/", site.admin_view(admin_explain.draft_view), name="draft"),
]
