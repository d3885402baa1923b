"""Addresses of the web portal."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
