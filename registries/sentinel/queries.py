"""What pages ask about incidents."""

from django.db.models import Exists, OuterRef, QuerySet

from portal.users.models import User
from registries.catalog.models import Repository
from registries.catalog.queries import repositories_seen_by
from registries.sentinel.models import Incident


def incidents_seen_by(user: User) -> QuerySet[Incident]:
    """Those in repositories that somebody may look into; all of them for people with a role. A repository that is gone is still seen by
    whoever saw it."""
    rows = Incident.objects.select_related("registry__zone", "accepted_by")
    if user.has_role():
        return rows
    seen = repositories_seen_by(user, with_absent=True)
    return rows.filter(Exists(seen.filter(registry=OuterRef("registry"), name=OuterRef("repository"))))


def open_in(repository: Repository) -> QuerySet[Incident]:
    """What is open in one repository, the newest first."""
    rows = Incident.objects.filter(registry=repository.registry_id, repository=repository.name)
    return rows.filter(state=Incident.State.OPEN).order_by("-pk")
