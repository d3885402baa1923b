"""Order a copy. Where nothing may go, no order is taken: the rules stand here, whoever asks."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Model

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import ENDED
from portal.jobs.queue import enqueue, job_fields
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.oci.reference import is_repository, is_tag
from registries.topology.models import Registry, ZoneKind

MAX_ATTEMPTS = 8
PRINCIPALS = {
    CopyJob.Purpose.PROMOTION: "pipeline",
    CopyJob.Purpose.ROLLBACK: "pipeline",
    CopyJob.Purpose.REPLICATION: "replicator",
    CopyJob.Purpose.ARCHIVE: "importer",
    CopyJob.Purpose.RESTORE: "restorer",
}


def order_copy(
    actor: Actor,
    *,
    purpose: CopyJob.Purpose | str,
    principal: str,
    source: Registry,
    source_repository: str,
    digest: Digest,
    target: Registry,
    target_repository: str,
    tags: Sequence[str],
    expected_digests: Mapping[str, str | None],
    cause: Model,
    with_referrers: bool = True,
) -> CopyJob:
    """Have an artifact copied by digest; an open order of the same cause for the same thing is given back.

    ``expected_digests``: where each tag must point right before it is put, "" or None for nowhere; a tag that is left out is
    put wherever it points. Raises Problem 409 or 422 when such a copy may not be."""
    _refuse_what_may_not_be(CopyJob.Purpose(purpose), principal, source, target)
    _refuse_bad_names(target_repository, tags)
    fields = {
        "purpose": purpose,
        "principal": principal,
        "source": source,
        "source_repository": source_repository,
        "digest": digest,
        "target": target,
        "target_repository": target_repository,
        "tags": sorted(set(tags)),
        "expected_digests": {tag: str(expected or "") for tag, expected in sorted(expected_digests.items())},
        "with_referrers": with_referrers,
    }
    with transaction.atomic():
        # Serialises orders for one target, so that two workers of one cause do not both order. Rows may still refer to it.
        Registry.objects.select_for_update(no_key=True).get(pk=target.pk)
        cause_fields = {"cause_label": cause._meta.label_lower, "cause_key": str(cause.pk)}
        held = CopyJob.objects.exclude(state__in=ENDED).filter(**fields, **cause_fields).first()
        if held is not None:
            return held
        job = CopyJob.objects.create(max_attempts=MAX_ATTEMPTS, **fields, **job_fields(actor, cause))
        record(actor, "copy.ordered", job, digest=str(digest), tags=fields["tags"])
        enqueue(job)
        return job


def _refuse_what_may_not_be(purpose: CopyJob.Purpose, principal: str, source: Registry, target: Registry) -> None:
    if PRINCIPALS[purpose] != principal:
        raise Problem(422, "wrong_principal", f"A {purpose} is done by {PRINCIPALS[purpose]}, not by {principal}.")
    if source.zone.kind == ZoneKind.SANDBOX and source.pk != target.pk:
        raise Problem(409, "leaves_sandbox", f"Nothing leaves a sandbox; {source} is one. Build the image again by CI.")
    if target.zone.kind in (ZoneKind.CACHE, ZoneKind.UPSTREAM):
        raise Problem(409, "not_a_target", f"{target} is of kind {target.zone.kind}; nothing is ever copied into one.")


def _refuse_bad_names(repository: str, tags: Sequence[str]) -> None:
    if not is_repository(repository):
        raise Problem(422, "bad_name", f"{repository[:120]!r} cannot be the name of a repository.")
    odd = [tag for tag in tags if not is_tag(tag)]
    if odd:
        raise Problem(422, "bad_tag", f"{odd[0][:140]!r} cannot be a tag.")
