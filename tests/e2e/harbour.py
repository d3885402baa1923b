"""The company of the page tests with something of everything on its shelves, and names as long as they get in real life."""

import io
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
from registries.access.adopt.decide import decide_name
from registries.access.adopt.htpasswd import read_htpasswd
from registries.access.adopt.import_users import Wish as Taken
from registries.access.adopt.import_users import import_users
from registries.access.adopt.log_files import LogFile
from registries.access.adopt.models import Adoption
from registries.access.adopt.read_log import read_log
from registries.access.asking.outlook import Wish
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.requests import ask_for_access
from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.credential.credentials import Narrowing, issue_personal_token, issue_robot_secret
from registries.access.drafting.drafts import version_of
from registries.access.drafting.hold_drafts import hold_drafts
from registries.access.drafting.trial_models import DraftTrial
from registries.access.drafting.trials import result_of
from registries.access.models import AccessRule, Restriction, RobotAccount
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.holds import place_hold
from registries.catalog.models import SyncJob
from registries.copies.models import CopyJob, CopyStep
from registries.retention.models import Plan, PlanItem
from registries.sentinel.models import Incident
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
        self.adoption = self._brought_in()
        self._troubles()
        self._words()
        self.trial = self._tried()
        self._names()

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

    def _brought_in(self) -> Adoption:
        """A registry in use, half on its way: a login that works, a name nobody knows, one that is a person's."""
        stored = "$2y$05$abcdefghijklmnopqrstuuO5QXO1Y9UuYV1mXGq6W8D1NyjX0YVUu"
        ends = self.now + timedelta(days=90)
        found = read_htpasswd(f"our-build-server.of.the-platform-team:{stored}\n".encode())
        import_users(self.ada.actor, self.snapshots, found, Taken(ends, robot=self.robot))
        lines = (
            f'10.1.2.3 - {who} [27/Nov/2026:14:17:56 +0100] "{asked} HTTP/1.1" 200 3 "-" "docker/28"\n'.encode()
            for who in ("our-build-server.of.the-platform-team", "ghost", "alice", "-")
            for asked in (f"GET /v2/{LONG}/manifests/1", "PUT /v2/payments/api/manifests/1", "GET /v2/_catalog")
        )
        adoption = read_log(self.ada.actor, self.snapshots, [LogFile(io.BytesIO(b"".join(lines)))])
        decide_name(self.ada.actor, adoption, "alice", self.alice)
        Adoption.objects.filter(pk=adoption.pk).update(
            probed_at=self.now,
            probe_text="it still asks for basic credentials itself: it does not run with the new configuration",
        )
        return adoption

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

    def _tried(self) -> DraftTrial:
        """A draft that would refuse what a robot pulls every day, held against it."""
        wide = AccessRule.objects.create(
            team=self.payments, zone=self.prod.zone, pattern="**", reason="until the names are sorted"
        )
        draft = AccessRule.objects.create(
            team=self.payments, zone=self.prod.zone, pattern="payments/**", is_draft=True, replaces=wide
        )
        for who, name, granted in (
            ("robot.payments-ci", LONG, "pull"),
            ("alice", "payments/api", "pull"),
            ("leaver", LONG, ""),
        ):
            AccessUse.objects.create(
                fingerprint=who, day=self.now.date(), registry=self.prod, principal=who, repository=name, asked="pull", granted=granted,
                address="10.1.2.3", count=1284, last_at=self.now,
            )  # fmt: skip
        for outcome, count in (("issued", 812), ("narrowed", 31), ("refused", 4)):
            hour = self.now.replace(minute=0, second=0, microsecond=0)
            TokenCount.objects.create(hour=hour, registry=self.prod, outcome=outcome, count=count)
        found = hold_drafts([draft])
        return DraftTrial.objects.create(
            drafts=[draft.pk], about=f"draft {draft.pk}: {draft}", state="done", result=result_of(found), seen=version_of([draft]),
            refused_count=found.refused.requests, next_run_at=self.now, finished_at=self.now, **JOB,
        )  # fmt: skip

    def _words(self) -> None:
        soon = self.now + timedelta(days=6)
        issue_personal_token(self.alice.actor, self.alice, "laptop", soon)
        narrow = Narrowing("payments/**", "pull,push", "ci-snapshots,prod", "10.0.0.0/8, 2001:db8::/32")
        self.secret, _ = issue_robot_secret(self.ada.actor, self.robot, "runner", soon, narrow, self.alice)
        self.token, _ = issue_personal_token(self.ada.actor, self.ada, "night job of the platform team", soon, narrow)
        place_hold(self.released.manifest.digest, "deployed", "it runs in shop-eu", self.request)
        record(
            system("setup"),
            "registry.changed",
            self.prod,
            fields=["reach", "availability_target"],
            why={"asked": "by ada"},
        )
        seal_committed()

    def _names(self) -> None:
        """A naming rule with what it found, something that is stopped, and names without an owner."""
        ci = self.snapshots.zone
        self.naming = NamingRule.objects.create(
            zone=ci, subject="tag", names=["pr-*", "sha-*"], reason="see handbook 4.2"
        )
        NamingRule.objects.create(zone=ci, subject="repository", names=["*/*"], is_enabled=False)
        self.incident = Incident.objects.create(
            kind="misnamed_tag", registry=self.snapshots, repository=LONG, tag=self.long.name, found_at=self.now,
            digest=self.long.manifest.digest, detail=f"{self.long.name} is not named like pr-* or sha-*: see handbook 4.2",
            rule=f"naming rule {self.naming.pk}",
        )  # fmt: skip
        Restriction.objects.create(
            registry=self.prod, pattern="payments/**", code="freeze", reason="the books of the year are closed",
            starts_at=self.now, ends_at=self.now + timedelta(days=2),
        )  # fmt: skip
        AccessUse.objects.create(
            fingerprint="names", day=self.now.date(), registry=self.sandbox, principal="alice", repository="alice/try",
            asked="pull,push", granted="pull,push", last_at=self.now,
        )  # fmt: skip
