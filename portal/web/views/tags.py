"""A tag: what is it now, what was it before, who moved it?"""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from portal.panels import panels_for
from portal.users.models import User
from portal.web.viewer import for_people
from portal.web.views.repositories import find_repository
from promotions.workflow.models import PromotionPath
from registries.catalog.models import Tag, TagEvent
from registries.catalog.queries import repositories_seen_by

SHOWN = 50


@for_people
def show_tag(request: HttpRequest, user: User, registry: str, repository: str, tag: str) -> HttpResponseBase:
    """The present digest, the history, and the same tag in other registries. A tag that is gone still has its history."""
    found = find_repository(user, registry, repository)
    present = Tag.objects.filter(repository=found, name=tag).select_related("manifest").first()
    history = list(
        TagEvent.objects.filter(repository=found, tag=tag).select_related("intent").order_by("-at", "-id")[:SHOWN]
    )
    if present is None and not history:
        raise Http404(f"There never was a tag {tag} in {registry}/{repository}.")
    context = {
        "repository": found,
        "tag": tag,
        "present": present,
        "history": history,
        "elsewhere": _elsewhere(user, found.pk, repository, tag),
        "paths": PromotionPath.objects.filter(is_enabled=True, source=found.registry).select_related("target"),
        "panels": panels_for("tag", user, str(present.pk)) if present else [],
    }
    return render(request, "web/tag.html", context)


def _elsewhere(user: User, here: int, repository: str, tag: str) -> list[Tag]:
    """The same name in other registries, as far as the person may see them."""
    others = repositories_seen_by(user).filter(name=repository).exclude(pk=here)
    rows = Tag.objects.filter(repository__in=others, name=tag)
    return list(
        rows.select_related("manifest", "repository__registry__zone").order_by("repository__registry__zone__position")
    )
