"""Addresses of the API, its schema and its documentation."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from portal.api.views import (
    access,
    access_requests,
    client_config,
    holds,
    oidc,
    passports,
    promotions,
    readiness,
    registries,
    repositories,
    robot_secrets,
    teams,
)

# Names of repositories hold slashes: what follows them is tried first, the longest first.
catalog = [
    path("registries", registries.RegistryList.as_view()),
    path("registries/<str:name>", registries.RegistryDetail.as_view()),
    path("repositories", repositories.RepositoryList.as_view()),
    path("repositories/<str:registry>/<path:name>/tags/<str:tag>/history", repositories.TagHistory.as_view()),
    path("repositories/<str:registry>/<path:name>/tags", repositories.TagList.as_view()),
    path("repositories/<str:registry>/<path:name>", repositories.RepositoryDetail.as_view()),
    path("manifests/<str:digest>", passports.Passport.as_view()),
]
promotion = [
    path("promotions", promotions.PromotionList.as_view()),
    path("promotions/<str:public_id>", promotions.PromotionDetail.as_view()),
    path("promotions/<str:public_id>/cancel", promotions.PromotionCancel.as_view()),
    path("promotions/<str:public_id>/retry", promotions.PromotionRetry.as_view()),
    path("promotions/<str:public_id>/decisions", promotions.PromotionDecisions.as_view()),
    path("promotions/<str:public_id>/gates", promotions.PromotionGates.as_view()),
]
granting = [
    path("access-requests", access_requests.AccessRequestList.as_view()),
    path("access-requests/<int:pk>", access_requests.AccessRequestDetail.as_view()),
    path("access-requests/<int:pk>/decision", access_requests.AccessRequestDecision.as_view()),
    path("access-requests/<int:pk>/withdraw", access_requests.AccessRequestWithdraw.as_view()),
    path("teams/<str:name>/robots", teams.TeamRobots.as_view()),
    path("teams/<str:name>/robots/<str:robot>", teams.TeamRobot.as_view()),
    path("teams/<str:name>/robots/<str:robot>/secrets", teams.RobotSecrets.as_view()),
    path("teams/<str:name>/robots/<str:robot>/secrets/<int:pk>", teams.RobotSecret.as_view()),
]
rest = [
    path("ready", readiness.Ready.as_view()),
    path("holds", holds.HoldList.as_view()),
    path("holds/<int:pk>", holds.HoldDetail.as_view()),
    path("whoami", access.Whoami.as_view()),
    path("robot-secrets", robot_secrets.RobotSecretList.as_view()),
    path("robot-secrets/<str:handle>", robot_secrets.RobotSecretDetail.as_view()),
    path("access/explain", access.Explain.as_view()),
    path("client-config", client_config.ClientConfig.as_view()),
    path("oidc/exchange", oidc.OidcExchange.as_view()),
    path("oidc/audience", oidc.OidcAudience.as_view()),
]
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("v1/", include([*catalog, *promotion, *granting, *rest])),
]
