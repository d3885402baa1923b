"""A repository: which tags does it have, which matter, who owns it, what will cleanup do?"""

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.panels import panels_for
from portal.users.models import User
from portal.web.asked import asked
from portal.web.cleanup_line import cleanup_of
from portal.web.listing import Column, respond
from portal.web.stopped import notes_of
from portal.web.viewer import for_people
from portal.web.views.uses import may_see_uses
from registries.access.queries import owner_team
from registries.access.restrictions import stopped_for
from registries.catalog.models import Hold, Repository, Tag
from registries.catalog.queries import repositories_seen_by
from registries.topology.models import Registry

COLUMNS = (
    Column("name", "Repository", lambda row: row.name, "name"),
    Column("registry", "Registry", lambda row: row.registry.name, "registry__name"),
    Column("tags", "Tags", lambda row: row.tag_count, "tag_count", is_number=True),
    Column("size_bytes", "Size", lambda row: row.size_bytes, "size_bytes", is_number=True),
    Column("moved", "Moved last", lambda row: row.last_moved_at, "last_moved_at"),
)
TAG_COLUMNS = (
    Column("tag", "Tag", lambda row: row.name, "name"),
    Column("digest", "Digest", lambda row: str(row.manifest.digest)),
    Column("kind", "Kind", lambda row: row.manifest.kind, "manifest__kind"),
    Column("moved", "Moved last", lambda row: row.moved_at, "moved_at"),
    Column("first_seen", "First seen", lambda row: row.first_seen_at, "first_seen_at"),
)


@for_people
def list_repositories(request: HttpRequest, user: User) -> HttpResponseBase:
    """Repositories of all registries that this person may look into."""
    rows = repositories_seen_by(user).select_related("registry")
    text, registry = asked(request, "q"), asked(request, "registry")
    if text:
        rows = rows.filter(name__icontains=text)
    if registry:
        rows = rows.filter(registry__name=registry)
    context = {"registries": Registry.objects.all(), "is_filtered": bool(text or registry)}
    return respond(request, "web/repositories.html", rows, COLUMNS, order="name", context=context)


def find_repository(user: User, registry: str, name: str) -> Repository:
    """The repository, or 404: what is not there and what may not be seen look alike."""
    rows = repositories_seen_by(user).select_related("registry__zone")
    found = rows.filter(registry__name=registry, name=name).first()
    if found is None:
        raise Http404(f"There is no repository {registry}/{name} that you may see.")
    return found


@for_people
def show_repository(request: HttpRequest, user: User, registry: str, repository: str) -> HttpResponseBase:
    """One repository and its tags."""
    found = find_repository(user, registry, repository)
    rows = Tag.objects.filter(repository=found).select_related("manifest")
    text = asked(request, "q")
    if text:
        rows = rows.filter(name__icontains=text)
    context = {
        "repository": found,
        "owner": owner_team(found.registry.zone, found.name),
        "sees_names": user.has_role(),
        "cleanup": cleanup_of(found),
        "sync": getattr(found, "sync_state", None),
        "elsewhere": repositories_seen_by(user).filter(name=found.name).exclude(pk=found.pk).select_related("registry"),
        "held": set(
            Hold.objects.filter(Q(digest__in=rows.values("manifest__digest"))).values_list("digest", flat=True)
        ),
        "sees_uses": may_see_uses(user, found.registry, found.name),
        "stopped": notes_of(user, stopped_for(found.registry, found.name, timezone.now())),
        "panels": panels_for("repository", user, str(found.pk)),
    }
    return respond(request, "web/repository.html", rows, TAG_COLUMNS, order="-moved", context=context)
