"""The rows that promotions start from, and short ways to do what the cast does."""

from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from portal.actor import system
from portal.approvals.models import ApprovalRule
from portal.jobs.models import JobState
from portal.jobs.run import run_job
from portal.users.accounts import grant_role, join_team
from portal.users.models import Role, Team, User
from promotions.workflow.decide import decide
from promotions.workflow.execute import start_execution
from promotions.workflow.models import Execution, GateConfig, PromotionPath, PromotionRequest
from promotions.workflow.requests import create_request
from registries.access.models import Namespace, RobotAccount
from registries.catalog.models import Blob, Manifest, ManifestBlob, ManifestEdge, Placement, Repository, Tag
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import Reach, Registry, Zone, ZoneKind

SETUP = system("setup")
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
SOURCE_LABEL = "org.opencontainers.image.source"
VERSION_LABEL = "org.opencontainers.image.version"
GATES: dict[str, dict[str, Any]] = {
    "tag_pattern": {"mode": "semver", "forbid": ["latest"], "match_label": VERSION_LABEL},
    "required_metadata": {"keys": [SOURCE_LABEL, VERSION_LABEL]},
    "platforms": {"required": ["linux/amd64", "linux/arm64"]},
}


@dataclass
class World:
    """Everybody and everything by name."""

    people: dict[str, User]
    team: Team
    robot: RobotAccount
    ci: Registry
    prod: Registry
    sandbox: Registry
    path: PromotionPath
    rule: ApprovalRule
    asked: dict[str, Any] = field(default_factory=dict)

    def ask(self, digest: Digest, tag: str = "1.4.2", **changes: Any) -> PromotionRequest:
        """CI asks, in alice's name."""
        fields: dict[str, Any] = {
            "path": self.path,
            "source_repository": "payments/api",
            "digest": digest,
            "source_tag": "",
            "target_tags": [tag],
            "on_behalf_of": self.people["alice"],
            "on_behalf_source": "mail",
            "robot": self.robot,
            **changes,
        }
        return create_request(self.robot.actor, **fields)

    def ask_myself(self, name: str, digest: Digest, tag: str = "1.4.2", **changes: Any) -> PromotionRequest:
        """A person asks on the web page."""
        person = self.people[name]
        fields = {"robot": None, "on_behalf_of": person, "on_behalf_source": "session", **changes}
        asked: dict[str, Any] = {
            "path": self.path,
            "source_repository": "payments/api",
            "digest": digest,
            "source_tag": "",
            "target_tags": [tag],
        }
        return create_request(person.actor, **asked, **fields)


def say(name: str, world: World, request: PromotionRequest, verdict: str = "approve", comment: str = "seen") -> None:
    """Somebody decides about what they see right now."""
    request.refresh_from_db()
    decide(world.people[name], request, verdict, comment, request.version, request.evidence_digest)


def make_world() -> World:
    people = {name: _person(name) for name in ("alice", "bob", "carol", "eve")}
    people["dave"] = _person("dave", is_superuser=True)
    for name in ("bob", "carol"):
        grant_role(SETUP, people[name], Role.RELEASE_MANAGER)
    team = Team.objects.create(name="payments", contact="#payments")
    join_team(SETUP, team, people["alice"])
    ci, prod = make_registry("ci", ZoneKind.CI_SNAPSHOTS), make_registry("prod", ZoneKind.PROD)
    Namespace.objects.create(zone=ci.zone, prefix="payments", team=team)
    robot = RobotAccount.objects.create(name="payments-ci", kind=RobotAccount.Kind.CI, team=team)
    path = PromotionPath.objects.create(name="ci-to-prod", source=ci, target=prod)
    for position, (gate, parameters) in enumerate(GATES.items()):
        GateConfig.objects.create(path=path, gate=gate, parameters=parameters, position=position)
    rule = ApprovalRule.objects.create(
        policy_label="promotions.promotionpath",
        policy_key=str(path.pk),
        name="release managers",
        required=1,
        role=Role.RELEASE_MANAGER,
    )
    return World(people, team, robot, ci, prod, make_registry("sandbox", ZoneKind.SANDBOX), path, rule)


def _person(name: str, *, is_superuser: bool = False) -> User:
    """Without a password: hashing one for each of the cast would take most of the time of these tests."""
    person = User.objects.create(username=name, email=f"{name}@example.com", is_superuser=is_superuser)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def make_registry(name: str, kind: ZoneKind, **fields: Any) -> Registry:
    zone, _ = Zone.objects.get_or_create(name=kind.value, kind=kind)
    known = {"base_url": f"http://127.0.0.1:1/{name}", "host": f"{name}.example", "service": name}
    return Registry.objects.create(name=name, zone=zone, reach=Reach.ENFORCED, **{**known, **fields})


def put_image(
    registry: Registry,
    *,
    version: str = "1.4.2",
    repository: str = "payments/api",
    tag: str = "",
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64"),
    labels: dict[str, str] | None = None,
) -> Digest:
    """An index as a sync would have recorded it; the same arguments give the same digest."""
    said = {VERSION_LABEL: version, SOURCE_LABEL: "https://git.example/api"} if labels is None else labels
    name = f"{version} {platforms} {sorted(said.items())}"
    index = _manifest(f"index {name}", Manifest.Kind.INDEX, INDEX)
    for position, platform in enumerate(platforms):
        child = _manifest(f"{platform} {name}", Manifest.Kind.IMAGE, IMAGE, platform=platform, labels=said)
        _layer(child, f"base {platform}", 0, 3_000_000)
        _layer(child, f"app {name} {platform}", 1, 120_000)
        edge = {"child_digest": child.digest, "child": child, "media_type": IMAGE, "size_bytes": 500}
        ManifestEdge.objects.get_or_create(parent=index, position=position, defaults={**edge, "platform": platform})
    home, _ = Repository.objects.get_or_create(registry=registry, name=repository)
    now = timezone.now()
    Placement.objects.get_or_create(repository=home, manifest=index, defaults={"first_seen_at": now})
    if tag:
        moved = {"manifest": index, "first_seen_at": now, "moved_at": now}
        Tag.objects.update_or_create(repository=home, name=tag, defaults=moved)
    return Digest.parse(index.digest)


def _manifest(name: str, kind: Manifest.Kind, media_type: str, **fields: Any) -> Manifest:
    digest = Digest.of(name.encode())
    config = Digest.of(f"config of {name}".encode()) if kind == Manifest.Kind.IMAGE else ""
    known = {
        "media_type": media_type,
        "kind": kind,
        "size_bytes": 500,
        "content_bytes": 3_120_000,
        "config_digest": config,
    }
    row, _ = Manifest.objects.get_or_create(digest=digest, defaults={**known, **fields})
    row.refresh_from_db()
    return row


def _layer(manifest: Manifest, name: str, position: int, size: int) -> None:
    blob, _ = Blob.objects.get_or_create(digest=Digest.of(name.encode()), defaults={"size_bytes": size})
    fields = {
        "blob": blob,
        "role": ManifestBlob.Role.LAYER,
        "media_type": "application/vnd.oci.image.layer.v1.tar+gzip",
    }
    ManifestBlob.objects.get_or_create(manifest=manifest, position=position, defaults=fields)


def begin(request: PromotionRequest) -> Execution:
    """Start the execution of a ready request and give it its first turn."""
    request.refresh_from_db()
    execution = start_execution(request)
    run_job(Execution, execution.pk)
    execution.refresh_from_db()
    return execution


def end_copy(execution: Execution, state: JobState = JobState.DONE, **fields: Any) -> None:
    """Write down how the copy ended, as its runner would, and give the execution its next turn."""
    now = timezone.now()
    known: dict[str, Any] = {"verified_at": now, "tagged_at": now} if state == JobState.DONE else {}
    CopyJob.objects.filter(executions=execution).update(state=state, finished_at=now, **{**known, **fields})
    Execution.objects.filter(pk=execution.pk).update(next_run_at=now)
    run_job(Execution, execution.pk)
    execution.refresh_from_db()
