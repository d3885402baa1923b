"""The company of the page tests with something of everything on its shelves, and names as long as they get in real life."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.actor import system
from portal.audit.record import record
from portal.audit.seal import seal_committed
from portal.users.models import Role
from promotions.archive.models import ArchiveEntry
from promotions.workflow.models import PromotionRequest
from promotions.workflow.requests import create_request
from registries.access.credentials import issue_personal_token, issue_robot_secret
from registries.access.models import RobotAccount
from registries.access.outlook import Wish
from registries.access.record_models import Denial
from registries.access.request_models import AccessRequest
from registries.access.requests import ask_for_access
from registries.catalog.holds import place_hold
from registries.catalog.models import SyncJob
from registries.copies.models import CopyJob, CopyStep
from registries.retention.models import Plan, PlanItem
from registries.topology.models import RegistryHealth
from tests.portal.web.cast import Company, person, registry, repository, tagged, zone

LONG = "platform-engineering/observability/collectors/opentelemetry-collector-contrib"
JOB: dict[str, Any] = {"actor_kind": "system", "actor_key": "sync", "actor_name": "sync"}


class Harbour(Company):
    """Waiting, running, failed, refused, kept: one of each."""

    def __init__(self) -> None:
        super().__init__()
        self.now = timezone.now()
        self.audrey = person("audrey", Role.AUDITOR)
        self.long = tagged(repository(self.snapshots, LONG), "2026.11.24-rc.1-build.20261124031415-g4f2a9c81", "long")
        self.request = self._asked()
        self.plan = self._plan()
        self.entry = self._kept()
        self.robot = RobotAccount.objects.create(name="payments-ci", kind="ci", team=self.payments)
        self.copy = self._carried()
        self.wish = self._wished()
        self._troubles()
        self._words()

    def _asked(self) -> PromotionRequest:
        request = create_request(
            self.alice.actor, path=self.path, source_repository="payments/api", digest=self.snapshot.manifest.digest,
            source_tag="1.4.0", target_tags=["1.4.0"], on_behalf_of=self.alice, on_behalf_source="session",
            changelog="Rounds refunds down. " * 12,
        )  # fmt: skip
        PromotionRequest.objects.filter(pk=request.pk).update(state="awaiting_approval")
        return request

    def _plan(self) -> Plan:
        plan = Plan.objects.create(
            registry=self.sandbox, state=Plan.State.READY, delete_count=2, keep_count=1, freed_bytes=5 << 20, created_by="ada"
        )  # fmt: skip
        for number, name in enumerate(("alice/try", LONG)):
            PlanItem.objects.create(
                plan=plan, repository=name, tag=f"old-{number}", digest=self.scratch.manifest.digest, decision="delete",
                rule="sandbox is wiped", reason="has not moved for 9 days; the policy lets go after 7", freed_bytes=1 << 20,
            )  # fmt: skip
        return plan

    def _kept(self) -> ArchiveEntry:
        hub, archive = registry("hub", zone("upstream", 0), reach="observed"), registry("archive", zone("archive", 1))
        return ArchiveEntry.objects.create(
            upstream=hub, upstream_repository="library/busybox", upstream_tag="1.36", digest=self.ledger.manifest.digest,
            archive=archive, repository="library/busybox", tag="1.36", owner=self.payments, state="failed",
            reason="The smallest shell that our init containers need, until they are gone.",
            reason_text="hub answered 429 Too Many Requests: toomanyrequests: You have reached your pull rate limit.",
        )  # fmt: skip

    def _carried(self) -> CopyJob:
        job = CopyJob.objects.create(
            purpose="promotion", principal="pipeline", source=self.snapshots, source_repository=LONG, digest=self.long.manifest.digest,
            target=self.prod, target_repository=LONG, tags=["1.4.0", "latest"], expected_digests={"1.4.0": "", "latest": ""},
            state="running", next_run_at=self.now, progress_done=3 << 20, progress_total=9 << 20, progress_note="layer 2 of 5", **JOB,
        )  # fmt: skip
        CopyStep.objects.create(
            job=job, attempt=1, text=f"{self.long.manifest.digest}: 2 of 5 blobs were there already"
        )
        return job

    def _wished(self) -> AccessRequest:
        """Charlie waits; a grant of theirs that nobody uses lies about."""
        self.allow(self.charlie, self.prod, f"{LONG}/contrib", reason="until the collectors are one")
        wish = Wish(self.charlie, self.prod, f"{LONG}/*", ("pull",), self.now + timedelta(days=30))
        return ask_for_access(self.charlie, wish, "Comparing how both collectors are configured. " * 6)

    def _troubles(self) -> None:
        RegistryHealth.objects.filter(registry=self.prod_eu).update(state="broken", message="refused the connection")
        self.deliver("failed", "prod-eu answers 503 Service Unavailable, tried 5 times")
        SyncJob.objects.create(
            registry=self.prod_eu, state="failed", reason_code="unreachable", reason_text="prod-eu refused the connection; see its log",
            next_run_at=self.now, finished_at=self.now, **JOB,
        )  # fmt: skip
        Denial.objects.create(
            registry=self.prod, principal="user:alice", scope=f"repository:{LONG}:push", code="prod_pipeline_only",
            reason="prod takes images only from the promotion pipeline", first_at=self.now, last_at=self.now,
        )  # fmt: skip

    def _words(self) -> None:
        soon = self.now + timedelta(days=6)
        issue_personal_token(self.alice.actor, self.alice, "laptop", soon)
        issue_robot_secret(self.ada.actor, self.robot, "runner", soon)
        place_hold(self.released.manifest.digest, "deployed", "it runs in shop-eu", self.request)
        record(
            system("setup"),
            "registry.changed",
            self.prod,
            fields=["reach", "availability_target"],
            why={"asked": "by ada"},
        )
        seal_committed()
