"""Addresses of allauth's that do not do here what they would do by themselves; they come before its own."""

from django.urls import path
from django.views.generic.base import RedirectView

from portal.users.password_page import no_password_by_oneself

urlpatterns = [
    path("password/set/", no_password_by_oneself, name="account_set_password"),
    # Whoever may come in by a provider has an account at once: there is nothing to fill in.
    path("3rdparty/signup/", RedirectView.as_view(pattern_name="account_login"), name="socialaccount_signup"),
]
