"""The passport of a digest: where is it, how did it get there, who approved it, what is in it?"""

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from portal.panels import panels_for
from portal.users.models import User
from portal.web.viewer import for_people
from registries.catalog.holds import active_holds
from registries.catalog.models import Manifest, ManifestBlob, ManifestEdge, Placement, Repository, Tag, TagEvent
from registries.catalog.queries import repositories_seen_by

SHOWN = 50


@for_people
def show_digest(request: HttpRequest, user: User, digest: str) -> HttpResponseBase:
    """Everything known of one manifest, to those who may see it somewhere."""
    manifest = Manifest.objects.filter(digest=digest).first()
    seen = repositories_seen_by(user)
    placements = _placements(manifest, seen) if manifest else []
    if manifest is None or not (placements or user.has_role() or _is_part_of_seen(manifest, seen)):
        raise Http404(f"No manifest {digest} is known that you may see.")
    context = {
        "manifest": manifest,
        "placements": placements,
        "parts": ManifestEdge.objects.filter(parent=manifest).select_related("child"),
        "parents": ManifestEdge.objects.filter(child_digest=digest).select_related("parent")[:SHOWN],
        "blobs": list(ManifestBlob.objects.filter(manifest=manifest).select_related("blob").order_by("position")),
        "referrers": Manifest.objects.filter(subject_digest=digest)[:SHOWN],
        "holds": active_holds(timezone.now()).filter(digest=digest),
        "moves": TagEvent.objects.filter(new_digest=digest, repository__in=seen)
        .select_related("repository__registry", "intent")
        .order_by("-at", "-id")[:SHOWN],
        "panels": panels_for("digest", user, digest),
    }
    return render(request, "web/digest.html", context)


def _placements(manifest: Manifest, seen: QuerySet[Repository]) -> list[Placement]:
    """Where it is, with the tags on it there, in the order of the zones."""
    on_it = Tag.objects.filter(manifest=manifest)
    rows = Placement.objects.filter(manifest=manifest, absent_since=None, repository__in=seen)
    rows = rows.select_related("repository__registry__zone", "repository__registry__location")
    rows = rows.prefetch_related(Prefetch("repository__tags", queryset=on_it, to_attr="tags_here"))
    return list(rows.order_by("repository__registry__zone__position", "repository__registry__name", "repository__name"))


def _is_part_of_seen(manifest: Manifest, seen: QuerySet[Repository]) -> bool:
    """A platform's image is not placed by itself everywhere; who sees its index sees it too."""
    parents = ManifestEdge.objects.filter(child=manifest).values("parent")
    return Repository.objects.filter(pk__in=seen, placements__manifest__in=parents).exists()
