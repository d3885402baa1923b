"""Addresses of the token endpoint and of the keys it signs with. Exact: clients follow no redirect with their credential."""

from django.urls import path

from registries.access.signing.key_views import bundle, key_set, newest
from registries.access.token_view import token_view

urlpatterns = [
    path("token", token_view, name="token"),
    path("keys/<str:name>/bundle.pem", bundle, name="keys-bundle"),
    path("keys/<str:name>/jwks.json", key_set, name="keys-jwks"),
    path("keys/<str:name>/newest.pem", newest, name="keys-newest"),
]
