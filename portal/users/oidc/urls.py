"""Addresses of signing in by a provider; allauth includes them under /accounts/."""

from django.urls import path

from portal.users.oidc import views

urlpatterns = [
    path("oidc/<slug:provider_id>/login/", views.start, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", views.finish, name="openid_connect_callback"),
]
