"""Manifests are global, by digest; a placement says that a manifest is in a repository. Nothing here is removed by a failed read."""

from django.db import models

from portal.jobs.models import Job
from registries.fields import DigestField, NameField
from registries.topology.models import Registry


class Repository(models.Model):
    """A named set of tags and manifests in one registry. ``revision`` grows with every change inside, in the change's own transaction."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="repositories")
    name = NameField(max_length=255)
    revision = models.PositiveBigIntegerField(default=0)
    tag_count = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0, help_text="Distinct blobs and manifests of all placements.")
    last_moved_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    absent_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "repositories"
        ordering = ["registry", "name"]
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="repository_once")]
        indexes = [models.Index(fields=["name"], name="repository_name")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"


class Manifest(models.Model):
    """One manifest, wherever it is; immutable by its digest."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        INDEX = "index"
        ARTIFACT = "artifact"

    digest = DigestField(unique=True)
    media_type = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    artifact_type = models.CharField(max_length=255, blank=True)
    size_bytes = models.PositiveBigIntegerField(help_text="Of the manifest document itself.")
    content_bytes = models.PositiveBigIntegerField(
        default=0, help_text="Of its own config and layers, duplicates counted once."
    )
    config_digest = DigestField(blank=True, default="")
    subject_digest = DigestField(blank=True, default="", db_index=True)
    platform = models.CharField(max_length=120, blank=True)
    image_created_at = models.DateTimeField(null=True, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    annotations = models.JSONField(default=dict, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.digest)


class ManifestBody(models.Model):
    """The document byte for byte; kept after deletion, so that a tag can be put back."""

    manifest = models.OneToOneField(Manifest, on_delete=models.CASCADE, related_name="body", primary_key=True)
    raw = models.BinaryField()

    def __str__(self) -> str:
        return f"body of {self.manifest_id}"


class ManifestEdge(models.Model):
    """An index names a child. ``child`` is empty while we have not read it."""

    parent = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="edges")
    position = models.PositiveSmallIntegerField()
    child_digest = DigestField(db_index=True)
    child = models.ForeignKey(Manifest, null=True, blank=True, on_delete=models.SET_NULL, related_name="parent_edges")
    media_type = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    platform = models.CharField(max_length=120, blank=True)
    is_attestation = models.BooleanField(default=False)

    class Meta:
        ordering = ["parent", "position"]
        constraints = [models.UniqueConstraint(fields=["parent", "position"], name="edge_once")]

    def __str__(self) -> str:
        return f"{self.platform or self.media_type} {self.child_digest}"


class Blob(models.Model):
    """Content by digest, wherever it is."""

    digest = DigestField(unique=True)
    size_bytes = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return str(self.digest)


class ManifestBlob(models.Model):
    """A manifest's config or one of its layers, in order."""

    class Role(models.TextChoices):
        CONFIG = "config"
        LAYER = "layer"

    manifest = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="blob_links")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="manifest_links")
    role = models.CharField(max_length=6, choices=Role.choices)
    position = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=255)

    class Meta:
        ordering = ["manifest", "position"]
        constraints = [models.UniqueConstraint(fields=["manifest", "position"], name="manifest_blob_once")]

    def __str__(self) -> str:
        return f"{self.role} {self.position}"


class Placement(models.Model):
    """A manifest being in a repository. ``absent_since``: no longer there, as far as a clean read or our own deletion tells."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="placements")
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="placements")
    first_seen_at = models.DateTimeField()
    absent_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "manifest"], name="placement_once")]

    def __str__(self) -> str:
        return f"{self.manifest} in {self.repository}"


class Tag(models.Model):
    """A mutable name for a digest. ``missing_reads`` counts clean reads in a row without it; it goes only after the second."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tags")
    name = NameField(max_length=128)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="tags")
    first_seen_at = models.DateTimeField()
    moved_at = models.DateTimeField(help_text="When we first saw it on this digest.")
    missing_reads = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["repository", "name"]
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_once")]
        indexes = [models.Index(fields=["name"], name="tag_name"), models.Index(fields=["moved_at"], name="tag_moved")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"


class TagIntent(models.Model):
    """We are about to move a tag, and why. Written before the move; what moves without one was not us."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="tag_intents")
    repository = NameField(max_length=255)
    tag = NameField(max_length=128)
    old_digest = DigestField(blank=True, default="")
    new_digest = DigestField(blank=True, default="", help_text="Empty: the tag is about to be removed.")
    cause_label = models.CharField(max_length=80)
    cause_key = models.CharField(max_length=120)
    cause_name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["registry", "repository", "tag"], name="intent_by_tag")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


class TagEvent(models.Model):
    """One move of one tag. Named by repository and tag name, so that it outlives the tag."""

    class Kind(models.TextChoices):
        CREATED = "created"
        MOVED = "moved"
        REMOVED = "removed"

    class Source(models.TextChoices):
        BASELINE = "baseline", "it was there when the registry joined"
        SYNC = "sync", "seen by a sync"
        JOB = "job", "done by a recorded job"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tag_events")
    tag = NameField(max_length=128)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.CharField(max_length=8, choices=Source.choices)
    old_digest = DigestField(blank=True, default="")
    new_digest = DigestField(blank=True, default="")
    actor_name = models.CharField(max_length=255, blank=True)
    intent = models.ForeignKey(TagIntent, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["repository", "tag", "-id"], name="tag_event_by_tag"),
            models.Index(fields=["-at"], name="tag_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag} {self.kind}"


class Hold(models.Model):
    """A reason a manifest must not be deleted, anywhere. Names a digest without a foreign key: it may precede the catalog."""

    class Kind(models.TextChoices):
        PROMOTION = "promotion", "an open promotion"
        DEPLOYED = "deployed", "it runs somewhere"
        LEGAL = "legal", "legal hold"
        ROLLBACK = "rollback", "a rollback target"
        ARCHIVE = "archive", "an archive entry"
        REPLICA = "replica", "a replica needs it"

    digest = DigestField(db_index=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=255)
    source_label = models.CharField(max_length=80)
    source_key = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest", "kind", "source_label", "source_key"], name="hold_once")
        ]

    def __str__(self) -> str:
        return f"{self.digest}: {self.reason}"


class DigestGuard(models.Model):
    """One row per digest that a hold or a deletion has touched: both lock it, so that they can never both win."""

    digest = DigestField(unique=True)
    deletion_claimed_at = models.DateTimeField(null=True, blank=True)
    deletion_label = models.CharField(max_length=80, blank=True)
    deletion_key = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return str(self.digest)


class SyncJob(Job):
    """One sweep over one registry, or over one repository of it."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="sync_jobs")
    repository_name = NameField(max_length=255, blank=True)
    repositories_read = models.PositiveIntegerField(default=0)
    repositories_failed = models.PositiveIntegerField(default=0)
    tags_created = models.PositiveIntegerField(default=0)
    tags_moved = models.PositiveIntegerField(default=0)
    tags_removed = models.PositiveIntegerField(default=0)
    requests_sent = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "sync job"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "repository_name"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_open_sync_per_target",
            )
        ]

    def __str__(self) -> str:
        return f"sync of {self.registry}{'/' if self.repository_name else ''}{self.repository_name}"


class SyncState(models.Model):
    """How well we know one repository: when it was last read cleanly, and what went wrong since."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="sync_state")
    read_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"sync state of {self.repository}"


class RegistrySyncState(models.Model):
    """How well we know one registry: its last complete listing, and when the next is due."""

    registry = models.OneToOneField(Registry, on_delete=models.CASCADE, related_name="sync_state")
    listed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure_text = models.TextField(blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True)
    braked_at = models.DateTimeField(
        null=True, blank=True, help_text="A sweep would have removed too much and asks a person."
    )
    brake_text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"sync state of {self.registry}"
