"""Addresses of the web portal."""

from django.urls import path, register_converter

from portal.web.addresses import DigestConverter, RegistryConverter, RepositoryConverter, TagConverter
from portal.web.views import (
    access,
    clients,
    digests,
    explain,
    inbox,
    overview,
    promotions,
    registries,
    repositories,
    search,
    tags,
)

app_name = "web"
register_converter(RegistryConverter, "registry")
register_converter(RepositoryConverter, "repository")
register_converter(TagConverter, "tag")
register_converter(DigestConverter, "digest")

urlpatterns = [
    path("", overview.show_map, name="map"),
    path("fragments/map/", overview.map_fragment, name="map-fragment"),
    path("fragments/moves/", overview.moves_fragment, name="moves-fragment"),
    path("registries/", registries.list_registries, name="registries"),
    path("registries/<registry:name>/", registries.show_registry, name="registry"),
    path("repositories/", repositories.list_repositories, name="repositories"),
    path("r/<registry:registry>/<repository:repository>/", repositories.show_repository, name="repository"),
    path("r/<registry:registry>/<repository:repository>:<tag:tag>/", tags.show_tag, name="tag"),
    path("digests/<digest:digest>/", digests.show_digest, name="digest"),
    path("search/", search.search, name="search"),
    path("promotions/", promotions.list_requests, name="promotions"),
    path("promotions/new/", promotions.ask_for_promotion, name="promotion-new"),
    path("promotions/<slug:public_id>/", promotions.show_request, name="promotion"),
    path("promotions/<slug:public_id>/strip/", promotions.show_strip, name="promotion-strip"),
    path("inbox/", inbox.show_inbox, name="inbox"),
    path("my/access/", access.show_access, name="my-access"),
    path("my/tokens/", access.create_token, name="token-new"),
    path("my/tokens/<int:key>/revoke/", access.revoke_token, name="token-revoke"),
    path("my/clients/", clients.show_clients, name="clients"),
    path("my/clients/file/", clients.give_file, name="client-file"),
    path("my/clients/files.zip", clients.give_files, name="client-files"),
    path("explain/", explain.explain_access, name="explain"),
]
