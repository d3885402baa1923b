"""Addresses of the API, its schema and its documentation."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from portal.api.views import (
    access,
    client_config,
    holds,
    oidc,
    passports,
    promotions,
    readiness,
    registries,
    repositories,
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
rest = [
    path("ready", readiness.Ready.as_view()),
    path("holds", holds.HoldList.as_view()),
    path("holds/<int:pk>", holds.HoldDetail.as_view()),
    path("whoami", access.Whoami.as_view()),
    path("access/explain", access.Explain.as_view()),
    path("client-config", client_config.ClientConfig.as_view()),
    path("oidc/exchange", oidc.OidcExchange.as_view()),
    path("oidc/audience", oidc.OidcAudience.as_view()),
]
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("v1/", include([*catalog, *promotion, *rest])),
]
