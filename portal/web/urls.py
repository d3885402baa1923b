"""Addresses of the web portal."""

from django.urls import path, register_converter

from portal.web.addresses import DigestConverter, RegistryConverter, RepositoryConverter, TagConverter
from portal.web.views import (
    access,
    access_requests,
    access_review,
    digests,
    explain,
    inbox,
    overview,
    promotions,
    registries,
    repositories,
    search,
    tags,
    team_robots,
    teams,
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
    path("my/clients/", access.show_clients, name="clients"),
    path("explain/", explain.explain_access, name="explain"),
    path("access/requests/", access_requests.list_requests, name="access-requests"),
    path("access/requests/new/", access_requests.ask, name="access-request-new"),
    path("access/requests/<int:key>/", access_requests.show_request, name="access-request"),
    path("access/requests/<int:key>/decide/", access_requests.decide_request, name="access-request-decide"),
    path("access/requests/<int:key>/withdraw/", access_requests.withdraw, name="access-request-withdraw"),
    path("access/requests/<int:key>/prolong/", access_requests.prolong, name="access-request-prolong"),
    path("access/review/", access_review.list_grants, name="access-review"),
    path("access/review/change/", access_review.change_grants, name="access-review-change"),
    path("teams/", teams.list_teams, name="teams"),
    path("teams/<str:name>/", teams.show_team, name="team"),
    path("teams/<str:name>/members/", teams.add_member, name="team-member-new"),
    path("teams/<str:name>/members/<str:username>/remove/", teams.remove_member, name="team-member-remove"),
    path("teams/<str:name>/robots/", teams.add_robot, name="team-robot-new"),
    path("teams/<str:name>/robots/<str:robot>/", team_robots.show_robot, name="team-robot"),
    path("teams/<str:name>/robots/<str:robot>/describe/", team_robots.describe, name="team-robot-describe"),
    path("teams/<str:name>/robots/<str:robot>/retire/", team_robots.retire, name="team-robot-retire"),
    path("teams/<str:name>/robots/<str:robot>/secrets/", team_robots.issue_secret, name="team-secret-new"),
    path(
        "teams/<str:name>/robots/<str:robot>/secrets/<int:key>/revoke/",
        team_robots.revoke_secret,
        name="team-secret-revoke",
    ),
]
