"""One box for names, tags and digests."""

import re

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from portal.users.models import Team, User
from portal.web.asked import asked
from portal.web.viewer import for_people
from promotions.workflow.queries import requests_seen_by
from registries.catalog.models import Manifest, Repository, Tag
from registries.catalog.queries import repositories_seen_by
from registries.topology.models import Registry

MOST = 20
DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})\Z")


@for_people
def search(request: HttpRequest, user: User) -> HttpResponseBase:
    """What begins with or contains the text; a whole digest leads straight to its passport."""
    text = asked(request, "q")
    context: dict[str, object] = {"q": text}
    if text:
        seen = repositories_seen_by(user)
        manifests = _manifests(text, user, seen)
        if len(manifests) == 1 and str(manifests[0].digest) in (text, f"sha256:{text}"):
            return redirect("web:digest", digest=str(manifests[0].digest))
        context |= _found(text, user, seen) | {"manifests": manifests}
        context["is_empty"] = not any(value for key, value in context.items() if key != "q")
    return render(request, "web/search.html", context)


def _found(text: str, user: User, seen: QuerySet[Repository]) -> dict[str, object]:
    name, _, tag = text.partition(":")
    tags = Tag.objects.filter(repository__in=seen)
    tags = tags.filter(repository__name__icontains=name, name__prefix=tag) if tag else tags.filter(name=text)
    return {
        "registries": list(Registry.objects.filter(name__icontains=text)[:MOST]),
        "repositories": list(
            seen.filter(name__icontains=name).select_related("registry").order_by("name", "registry")[:MOST]
        ),
        "tags": list(tags.select_related("repository__registry", "manifest").order_by("-moved_at")[:MOST]),
        "teams": list(Team.objects.filter(name__icontains=text)[:MOST]),
        "promotions": list(requests_seen_by(user).filter(public_id=text)[:MOST]),
    }


def _manifests(text: str, user: User, seen: QuerySet[Repository]) -> list[Manifest]:
    match = DIGEST.match(text)
    if match is None:
        return []
    start = f"sha256:{match[1]}"
    rows = Manifest.objects.filter(digest__prefix=start)
    if not user.has_role():
        rows = rows.filter(placements__repository__in=seen).distinct()
    return list(rows.order_by("digest")[:MOST])
