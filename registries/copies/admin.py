"""Copies: how far, what was carried, and step by step what happened."""

from portal.admin_site import ReadOnlyInline, display, register
from portal.jobs.admin import JobAdmin
from registries.copies.models import CopyJob, CopyStep
from registries.oci.sizes import spell


class CopyStepInline(ReadOnlyInline):
    """What happened, in order."""

    model = CopyStep
    fields = ["at", "attempt", "text"]
    verbose_name_plural = "what happened"


@register(CopyJob)
class CopyJobAdmin(JobAdmin):
    job_columns = ["purpose", "source_label", "target_label", "digest_label", "carried_label"]
    list_filter = ["state", "purpose", "source", "target", "reason_code"]
    list_select_related = ["source", "target"]
    search_fields = ["source_repository", "target_repository", "digest__startswith", "reason_text", "cause_name"]
    readonly_fields = ["carried_label"]
    inlines = [CopyStepInline]
    fieldsets = [
        (None, {"fields": ["purpose", "state", "reason_code", "reason_text", "principal"]}),
        ("From", {"fields": ["source", "source_repository", "digest", "with_referrers"]}),
        ("To", {"fields": ["target", "target_repository", "tags", "expected_digests"]}),
        (
            "What was carried",
            {"fields": ["carried_label", "manifests_copied", "blobs_copied", "blobs_mounted", "blobs_present"]},
        ),
        ("Read back", {"fields": ["verified_digests", "verified_at", "tagged_at"]}),
        (
            "Run",
            {"fields": ["actor_name", "cause_name", "attempt", "worker", "created_at", "started_at", "finished_at"]},
        ),
    ]

    @display(description="from")
    def source_label(self, job: CopyJob) -> str:
        return f"{job.source}/{job.source_repository}"

    @display(description="to")
    def target_label(self, job: CopyJob) -> str:
        tags = f":{', '.join(job.tags)}" if job.tags else ""
        return f"{job.target}/{job.target_repository}{tags}"

    @display(description="digest")
    def digest_label(self, job: CopyJob) -> str:
        return str(job.digest.short)

    @display(description="carried")
    def carried_label(self, job: CopyJob) -> str:
        return spell(job.bytes_copied)
