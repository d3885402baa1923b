"""How do the tags of one repository go? Read it afresh, decide again, then one digest after the other, indexes before their children.

A deletion that could take a manifest along is claimed first, and the claim committed: a hold and a deletion never both win."""

import logging
from collections.abc import Iterable
from typing import Protocol

from django.utils import timezone

from portal.jobs.run import Claim
from registries.catalog.holds import HeldError, claim_deletion, release_deletions
from registries.catalog.intents import declare_intent, withdraw_intent
from registries.catalog.models import Placement, Repository, TagEvent, TagIntent
from registries.catalog.observe import mark_gone, record_tag_gone
from registries.catalog.read import CatalogReader
from registries.catalog.repository_sync import sync_repository
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Denied, Incomplete, NotFound, RegistryError, TagMoved
from registries.retention.closure import Closure, Graph, close, height
from registries.retention.evaluate import Fate, TagFact
from registries.retention.facts import graph_of, holds_in, tags_in
from registries.retention.items import going_items, settle_item, waiting_items
from registries.retention.models import CleanupJob, PlanItem

logger = logging.getLogger(__name__)
Outcome = PlanItem.Outcome
TEXTS = {
    "tag": "The tag was deleted.",
    "digest": "The tag was deleted with its manifest.",
    "placeholder": "The tag was deleted; its manifest stays.",
    "gone": "The tag went with its manifest.",
}


class DeleteTag(Protocol):
    """An adapter's way of taking away one tag and nothing else."""

    def __call__(
        self,
        client: Client,
        repository: str,
        tag: str,
        *,
        digest: Digest,
        siblings: list[str],
        keep_manifest: bool,
    ) -> str: ...


class RepositoryCleanup:
    """One run over one repository of a plan, its client given."""

    def __init__(self, claim: Claim[CleanupJob], repository: Repository, client: Client, delete_tag: DeleteTag) -> None:
        self._claim, self._job, self._plan = claim, claim.job, claim.job.plan
        self._repository, self._client, self._delete_tag = repository, client, delete_tag
        self._items: dict[str, PlanItem] = {}
        self._tags: dict[str, TagFact] = {}
        self._graph = Graph()

    def run(self) -> None:
        """Raises RegistryError when the registry did not do its part."""
        self._refresh()
        self._drop_what_changed()
        closure = self._decide()
        for digest in self._in_order({item.digest for item in self._items.values()}):
            if not self._clean_digest(digest, closure):
                closure = self._decide()
        self._delete_orphans()

    def _refresh(self) -> None:
        with CatalogReader(self._client) as reader:
            sync_repository(reader, self._repository, TagEvent.Source.SYNC, self._claim.check)
        present = set(self._repository.tags.filter(missing_reads=0).values_list("name", flat=True))
        self._tags = {tag.name: tag for tag in tags_in(self._repository) if tag.name in present}
        self._graph = graph_of(self._repository)
        waiting = waiting_items(self._plan).filter(repository=self._repository.name)
        self._items = {item.tag: item for item in waiting}

    def _drop_what_changed(self) -> None:
        for tag, item in list(self._items.items()):
            held = self._tags.get(tag)
            if held is None:
                self._settle_gone(item)
            elif held.digest != item.digest:
                self._settle(
                    item, Outcome.SKIPPED, f"It points to {held.digest} by now, not to what the plan was about."
                )

    def _settle_gone(self, item: PlanItem) -> None:
        """Not there: an earlier attempt of this very job has deleted it and died, or somebody else has."""
        mine = TagIntent.objects.filter(
            registry=self._plan.registry,
            repository=item.repository,
            tag=item.tag,
            new_digest="",
            cause_label=self._job._meta.label_lower,
            cause_key=str(self._job.pk),
        )
        if mine.exists():
            self._record_gone(item)
            self._settle(item, Outcome.DELETED, "The tag was deleted, by an attempt that could not write it down.")
        else:
            self._settle(item, Outcome.SKIPPED, "It was gone already.")

    def _decide(self) -> Closure:
        """The closure over what is there now; tags it keeps after all leave the run."""
        fates = {tag: self._fate(fact, is_kept=tag not in self._items) for tag, fact in self._tags.items()}
        closure = close(fates, self._graph, holds_in(self._graph, timezone.now()))
        again = [item for tag, item in self._items.items() if closure.fates[tag].is_kept]
        for item in again:
            self._settle(item, Outcome.KEPT, closure.fates[item.tag].reason)
        return self._decide() if again else closure

    def _fate(self, fact: TagFact, *, is_kept: bool) -> Fate:
        # What the plan keeps is kept by name: a signature that was pushed since does not go with its image unseen.
        item = self._items.get(fact.name)
        reason = item.reason if item else "The plan does not let it go."
        return Fate(fact, is_kept, item.rule if item else "", reason, is_protected=is_kept)

    def _in_order(self, digests: Iterable[Digest]) -> list[Digest]:
        """Indexes before their children: should one fail, nothing it lists is gone yet."""
        return sorted(digests, key=lambda digest: (-height(digest, self._graph), digest))

    def _clean_digest(self, digest: Digest, closure: Closure) -> bool:
        """Delete all tags of the plan on one digest; False when one of them stayed."""
        items = [item for item in self._items.values() if item.digest == digest]
        if not items:
            return True
        is_going = digest in closure.going
        try:
            if is_going:
                claim_deletion(digest, self._job)
            results = [self._delete(item, items, keep_manifest=not is_going) for item in items]
            return all(results)
        except HeldError as held:
            for item in items:
                self._settle(item, Outcome.KEPT, str(held))
            return False
        finally:
            if is_going:
                release_deletions(self._job, [digest])

    def _delete(self, item: PlanItem, group: list[PlanItem], *, keep_manifest: bool) -> bool:
        self._claim.check()
        self._announce(group)
        leaving = {other.tag for other in group if other.outcome in (Outcome.WAITING, Outcome.DELETED)}
        siblings = [tag for tag, fact in self._tags.items() if fact.digest == item.digest and tag not in leaving]
        try:
            way = self._delete_tag(
                self._client,
                self._repository.name,
                item.tag,
                digest=item.digest,
                siblings=siblings,
                keep_manifest=keep_manifest,
            )
        except Denied as denied:
            return self._denied(item, denied, is_shared=bool(siblings) or keep_manifest)
        except TagMoved as moved:
            self._settle(item, Outcome.SKIPPED, str(moved))
            self._withdraw(item)
            return False
        except RegistryError as error:
            if error.is_retryable and not isinstance(error, Incomplete):
                raise
            self._settle(item, Outcome.FAILED, str(error))
            if not isinstance(error, Incomplete):
                self._withdraw(item)
            return False
        self._note_deleted(item, way)
        return True

    def _announce(self, group: list[PlanItem]) -> None:
        """All at once: deleting a digest takes every tag on it."""
        for item in group:
            if item.outcome == Outcome.WAITING:
                declare_intent(self._plan.registry, item.repository, item.tag, item.digest, None, self._job)

    def _denied(self, item: PlanItem, denied: Denied, *, is_shared: bool) -> bool:
        """Where only the pipeline pushes there is no placeholder, and a shared digest cannot lose one tag of it."""
        self._withdraw(item)
        if is_shared:
            text = (
                "This registry deletes no single tags, and something that stays needs the digest; the tag goes with it."
            )
            self._settle(item, Outcome.KEPT, text)
        else:
            self._settle(item, Outcome.FAILED, str(denied))
        return False

    def _withdraw(self, item: PlanItem) -> None:
        withdraw_intent(self._plan.registry, item.repository, item.tag, self._job)

    def _note_deleted(self, item: PlanItem, way: str) -> None:
        self._record_gone(item)
        if way == "digest":
            mark_gone(self._repository, [item.digest], timezone.now())
        self._tags.pop(item.tag, None)
        self._settle(item, Outcome.DELETED, TEXTS.get(way, "The tag was deleted."))
        self._show_progress(item)

    def _record_gone(self, item: PlanItem) -> None:
        record_tag_gone(
            self._repository,
            item.tag,
            at=timezone.now(),
            source=TagEvent.Source.JOB,
            actor_name=self._job.actor_name,
        )

    def _settle(self, item: PlanItem, outcome: PlanItem.Outcome, text: str) -> None:
        settle_item(item, outcome, text)
        self._items.pop(item.tag, None)

    def _show_progress(self, item: PlanItem) -> None:
        total = self._plan.delete_count
        done = total - waiting_items(self._plan).count()
        self._claim.progress(done, total, f"{item.repository}:{item.tag}", "tags")

    def _delete_orphans(self) -> None:
        """Manifests that only the deleted tags led to: no registry of this make would ever collect them untagged."""
        deleted = going_items(self._plan).filter(repository=self._repository.name, outcome=Outcome.DELETED)
        gone = {item.tag: TagFact(item.tag, item.digest, self._plan.created_at) for item in deleted}
        if not gone:
            return
        graph = graph_of(self._repository, also=[fact.digest for fact in gone.values()])
        fates = {tag: self._fate(fact, is_kept=False) for tag, fact in gone.items()}
        fates |= {tag.name: self._fate(tag, is_kept=True) for tag in tags_in(self._repository)}
        going = close(fates, graph, holds_in(graph, timezone.now())).going
        here = Placement.objects.filter(repository=self._repository, absent_since=None)
        present = {Digest.parse(digest) for digest in here.values_list("manifest__digest", flat=True)}
        for digest in self._in_order(going & present):
            self._claim.check()
            if not self._delete_manifest(digest):
                return

    def _delete_manifest(self, digest: Digest) -> bool:
        """False when the registry does not delete manifests, so that asking again is of no use."""
        try:
            claim_deletion(digest, self._job)
            self._client.delete_manifest(self._repository.name, digest)
        except HeldError:
            return True
        except NotFound:
            pass
        except RegistryError as error:
            if error.is_retryable:
                raise
            logger.warning("An untagged manifest stays: %s", error)
            return False
        finally:
            release_deletions(self._job, [digest])
        mark_gone(self._repository, [digest], timezone.now())
        return True
