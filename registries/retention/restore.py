"""The handler that puts a tag back: the kept manifests by digest, children first, then the tag. Only while every blob still answers."""

from contextlib import closing

from django.utils import timezone

from portal.jobs.run import Claim, JobFailed
from registries.access.connect import client_for
from registries.catalog.intents import declare_intent
from registries.catalog.models import Manifest, ManifestBody, TagEvent
from registries.catalog.observe import record_placements, record_tag, repository_row
from registries.catalog.setbacks import heed_pause, retry_or_fail
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import RegistryError
from registries.oci.manifest import Manifest as Document
from registries.oci.manifest import parse_manifest
from registries.oci.scope import Scope
from registries.oci.verify import blob_state
from registries.retention.items import settle_item
from registries.retention.models import CleanupJob, PlanItem


def restore(claim: Claim[CleanupJob]) -> None:
    """Put one item's tag back where it was."""
    item, registry = claim.job.item, claim.job.plan.registry
    if item is None:
        raise JobFailed("nothing_to_restore", "The tag to put back is not known any more.")
    heed_pause(registry)
    scopes = [Scope.repository(item.repository, "pull", "push")]
    try:
        with closing(client_for(registry, "restorer", scopes)) as client:
            _put_back(claim, item, client)
    except RegistryError as error:
        raise retry_or_fail(registry, error, claim.job.attempt) from error


def _put_back(claim: Claim[CleanupJob], item: PlanItem, client: Client) -> None:
    held = client.head_manifest(item.repository, item.tag)
    if held is not None and held.digest != item.digest:
        raise JobFailed(
            "tag_taken", f"{item} points to {held.digest} by now. Move or delete it first; nothing was changed."
        )
    documents = _kept(item.digest)
    _check_blobs(item, client, documents)
    for document in documents:
        client.put_manifest(item.repository, document.digest, document.raw, document.media_type)
    claim.check()
    registry = claim.job.plan.registry
    if held is None:
        declare_intent(registry, item.repository, item.tag, None, item.digest, claim.job)
        client.put_manifest(item.repository, item.tag, documents[-1].raw, documents[-1].media_type)
    now, repository = timezone.now(), repository_row(registry, item.repository)
    record_placements(repository, [item.digest], at=now)
    record_tag(repository, item.tag, item.digest, at=now, source=TagEvent.Source.JOB, actor_name=claim.job.actor_name)
    settle_item(item, PlanItem.Outcome.RESTORED, f"Put back by {claim.job.actor_name}.")


def _kept(digest: Digest) -> list[Document]:
    """The manifest and all below it from our own copies, children before what lists them; each once."""
    documents: dict[Digest, Document] = {}

    def collect(wanted: Digest) -> None:
        if wanted in documents:
            return
        document = _document(wanted)
        for child in document.children:
            if Manifest.objects.filter(digest=child.digest, body__isnull=False).exists():
                collect(child.digest)
        documents[wanted] = document

    collect(digest)
    return list(documents.values())


def _document(digest: Digest) -> Document:
    body = ManifestBody.objects.filter(manifest__digest=digest).select_related("manifest").first()
    if body is None:
        raise JobFailed("not_kept", f"The portal has no copy of {digest}; it cannot be put back.")
    return parse_manifest(bytes(body.raw), body.manifest.media_type, digest)


def _check_blobs(item: PlanItem, client: Client, documents: list[Document]) -> None:
    """A manifest without its layers would be a promise that no pull can keep."""
    blobs = {blob.digest: blob for document in documents for blob in document.blobs if not blob.is_foreign}
    missing = [digest for digest, blob in sorted(blobs.items()) if blob_state(client, item.repository, blob) != "well"]
    if missing:
        raise JobFailed(
            "undo_impossible",
            f"{len(missing)} of {len(blobs)} blobs of {item} do not answer any more, {missing[0]} among them: the registry has "
            "collected its garbage. Push or copy the image again.",
        )
