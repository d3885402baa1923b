"""Addresses of the token endpoint and of the keys it signs with."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
