"""Which digest does an entry mean? The tag is resolved once; from then on the digest counts."""

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from promotions.archive.models import ArchiveEntry
from registries.catalog.holds import place_hold
from registries.catalog.models import Hold
from registries.oci.client import Client
from registries.oci.digest import Digest


class GoneUpstreamError(Exception):
    """Upstream does not have what the entry names."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def find_upstream(client: Client, entry: ArchiveEntry) -> Digest:
    """What the entry means, as upstream answers now; a pinned digest is looked for by itself. Network only."""
    wanted = str(entry.digest) or entry.upstream_tag
    head = client.head_manifest(entry.upstream_repository, wanted)
    place = f"{entry.upstream}/{entry.upstream_repository}"
    if head is None and entry.digest:
        raise GoneUpstreamError(
            "vanished_upstream",
            f"{entry.digest}, pinned for {entry}, has vanished from {place}. It was not replaced by whatever the tag "
            "means today. Make a new entry if that is wanted, or import it from somebody who still has it.",
        )
    if head is None:
        raise GoneUpstreamError(
            "missing_upstream", f"{place} has no tag {entry.upstream_tag}. Check the name and the tag of the entry."
        )
    return head.digest


def pin(actor: Actor, entry: ArchiveEntry, digest: Digest) -> None:
    """Write down what the tag meant, once; a second resolver changes nothing."""
    with transaction.atomic():
        now = timezone.now()
        if ArchiveEntry.objects.filter(pk=entry.pk, digest="").update(digest=digest, pinned_at=now):
            record(actor, "archiveentry.pinned", entry, digest=str(digest))
        entry.refresh_from_db(fields=["digest", "pinned_at"])
        hold_entry(entry)


def hold_entry(entry: ArchiveEntry) -> None:
    """Nobody may delete what is archived. Inside the caller's transaction."""
    place_hold(entry.digest, Hold.Kind.ARCHIVE, f"Archive entry {entry}: {entry.reason}", entry)
