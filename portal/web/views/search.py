"""One box for names, tags, digests, teams and promotions."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from portal.users.models import Team, User
from portal.web.asked import asked
from portal.web.viewer import for_people
from promotions.workflow.queries import requests_seen_by
from registries.catalog import queries as catalog
from registries.oci.digest import Digest
from registries.topology.models import Registry

MOST = 20


@for_people
def search(request: HttpRequest, user: User) -> HttpResponseBase:
    """What begins with or contains the text; a whole digest leads straight to its passport."""
    text = asked(request, "q")
    context: dict[str, object] = {"q": text}
    if text:
        found = catalog.search(text, catalog.repositories_seen_by(user), MOST, with_unplaced=user.has_role())
        if len(found.manifests) == 1 and text in _spellings(found.manifests[0].digest):
            return redirect("web:digest", digest=str(found.manifests[0].digest))
        rows: dict[str, Sequence[object]] = {
            "repositories": found.repositories,
            "tags": found.tags,
            "manifests": found.manifests,
        }
        rows |= _beside_images(text, user)
        context |= {**rows, "is_empty": not any(rows.values())}
    return render(request, "web/search.html", context)


def _spellings(digest: Digest) -> tuple[str, str]:
    return str(digest), digest.encoded


def _beside_images(text: str, user: User) -> dict[str, Sequence[object]]:
    return {
        "registries": list(Registry.objects.filter(name__icontains=text)[:MOST]),
        "teams": list(Team.objects.filter(name__icontains=text)[:MOST]),
        "promotions": list(requests_seen_by(user).filter(public_id=text)[:MOST]),
    }
