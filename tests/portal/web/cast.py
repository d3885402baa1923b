"""A small company as rows: alice is in payments, rita releases, ada runs the platform, charlie is in no team."""

import hashlib
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from portal.approvals.models import ApprovalRule
from portal.users.models import Membership, Role, RoleGrant, Team, User
from promotions.replication.models import Delivery, ReplicationRule
from promotions.workflow.models import PromotionPath
from registries.access.models import AccessRule, Namespace
from registries.catalog.models import (
    Manifest,
    ManifestEdge,
    Placement,
    RegistrySyncState,
    Repository,
    Tag,
    TagEvent,
)
from registries.topology.models import Location, Registry, RegistryHealth, Zone, ZoneDefault

PASSWORD = "correct horse battery staple"


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@cache
def _hashed() -> str:
    """Slow on purpose, so once is enough."""
    return make_password(PASSWORD)


def person(name: str, *roles: Role, team: Team | None = None) -> User:
    user = User.objects.create(username=name, email=f"{name}@example.com", password=_hashed())
    for role in roles:
        RoleGrant.objects.create(user=user, role=role)
    if team:
        Membership.objects.create(team=team, user=user)
    return user


def zone(kind: str, position: int = 0, *defaults: str) -> Zone:
    made = Zone.objects.create(
        name=kind, kind=kind, title=kind.capitalize(), concern=f"what {kind} is for", position=position
    )
    for default in defaults:
        audience, action = default.split()
        ZoneDefault.objects.create(zone=made, audience=audience, action=action)
    return made


def registry(name: str, zone: Zone, **fields: Any) -> Registry:
    base = {"base_url": f"http://{name}.test", "host": f"{name}.test", "service": name, "reach": "enforced"}
    made = Registry.objects.create(name=name, zone=zone, **{**base, **fields})
    now = timezone.now()
    RegistryHealth.objects.create(registry=made, state="well", message="answers in 8 ms", latency_ms=8, checked_at=now)
    RegistrySyncState.objects.create(registry=made, listed_at=now)
    return made


def repository(registry: Registry, name: str, **fields: Any) -> Repository:
    return Repository.objects.create(registry=registry, name=name, **fields)


def tagged(repository: Repository, tag: str, content: str = "", **event: Any) -> Tag:
    """A two-platform image with a tag on it, and the event of its coming."""
    now = timezone.now()
    manifest = index(content or f"{repository.name}:{tag}")
    Placement.objects.get_or_create(repository=repository, manifest=manifest, defaults={"first_seen_at": now})
    made = Tag.objects.create(repository=repository, name=tag, manifest=manifest, first_seen_at=now, moved_at=now)
    fields = {
        "kind": "created",
        "source": "sync",
        "new_digest": manifest.digest,
        "actor_name": "alice",
        "at": now,
        **event,
    }
    TagEvent.objects.create(repository=repository, tag=tag, **fields)
    Repository.objects.filter(pk=repository.pk).update(tag_count=repository.tags.count(), last_moved_at=now)
    return made


def index(content: str) -> Manifest:
    fields = {"media_type": "application/vnd.oci.image.index.v1+json", "kind": "index", "size_bytes": 700}
    made, is_new = Manifest.objects.get_or_create(digest=digest_of(content), defaults=fields)
    for position, platform in enumerate(("linux/amd64", "linux/arm64")) if is_new else ():
        child = Manifest.objects.create(
            digest=digest_of(content + platform),
            media_type="application/vnd.oci.image.manifest.v1+json",
            kind="image",
            size_bytes=600,
            content_bytes=5 << 20,
            platform=platform,
            labels={"org.opencontainers.image.revision": "4f2a9c"},
        )
        edge = {"child_digest": child.digest, "child": child, "media_type": child.media_type, "size_bytes": 600}
        ManifestEdge.objects.create(parent=made, position=position, platform=platform, **edge)
    return made


class Company:
    """Sandbox, snapshots, prod with a replica, one path and its rule."""

    def __init__(self) -> None:
        self.payments = Team.objects.create(name="payments", title="Payments", contact="#payments")
        self.alice = person("alice", team=self.payments)
        self.charlie = person("charlie")
        self.rita = person("rita", Role.RELEASE_MANAGER)
        self.bob = person("bob", Role.RELEASE_MANAGER)
        self.ada = person("ada", Role.PLATFORM_ADMIN)
        zones = [
            zone("sandbox", 2, "people pull", "people push"),
            zone("ci-snapshots", 4, "everyone pull", "ci push"),
            zone("prod", 5),
        ]
        eu = Location.objects.create(name="eu")
        self.sandbox = registry("sandbox", zones[0])
        self.snapshots = registry("ci-snapshots", zones[1])
        self.prod = registry("prod", zones[2])
        self.prod_eu = registry("prod-eu", zones[2], primary=self.prod, location=eu, is_replication_enabled=True)
        for each in zones[1:]:
            Namespace.objects.create(zone=each, prefix="payments", team=self.payments)
        self.path = PromotionPath.objects.create(name="to-prod", source=self.snapshots, target=self.prod)
        label = PromotionPath._meta.label_lower
        ApprovalRule.objects.create(
            policy_label=label, policy_key=str(self.path.pk), name="release managers", role=Role.RELEASE_MANAGER
        )
        self.rule = ReplicationRule.objects.create(name="prod to prod-eu", source=self.prod, target=self.prod_eu)
        self.snapshot = tagged(repository(self.snapshots, "payments/api"), "1.4.0")
        self.released = tagged(repository(self.prod, "payments/api"), "1.3.0", source="job")
        self.ledger = tagged(repository(self.prod, "finance/ledger"), "7.0.0", source="job")
        self.scratch = tagged(repository(self.sandbox, "alice/try"), "latest")

    def allow(self, user: User, registry: Registry, pattern: str, **fields: Any) -> AccessRule:
        return AccessRule.objects.create(user=user, registry=registry, pattern=pattern, **fields)

    def deliver(self, state: str, reason: str = "") -> Delivery:
        return Delivery.objects.create(
            rule=self.rule, repository="payments/api", tag="1.3.0", digest=self.released.manifest.digest, state=state,
            reason_text=reason, wanted_at=timezone.now() - timedelta(minutes=3),
        )  # fmt: skip
