"""Rules and deliveries in the admin."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, action, display, has_role, register
from portal.jobs.queue import wake
from promotions.replication.models import Delivery, ReplicationRule
from promotions.replication.reconcile import why_idle
from promotions.replication.rules import RECONCILE, follow_primaries, read_again, try_again

COLOURS = {"pending": "info", "copying": "warning", "present": "success", "failed": "danger"}


@register(ReplicationRule)
class ReplicationRuleAdmin(ModelAdmin):
    list_display = ["name", "source", "target", "repository_glob", "tag_glob", "is_enabled", "state_label"]
    list_filter = ["is_enabled", "source", "target"]
    list_select_related = ["source__zone", "target__zone"]
    search_fields = ["name", "source__name", "target__name"]
    autocomplete_fields = ["source", "target"]
    readonly_fields = ["idle_label"]
    actions = ["follow_primaries"]
    fieldsets = [
        (None, {"fields": ["name", "is_enabled", "idle_label"]}),
        (
            "What follows where",
            {
                "fields": ["source", "target", "repository_glob", "tag_glob"],
                "description": "Nothing leaves a sandbox. A registry of prod follows its primary alone. "
                "Replication never deletes: a tag that goes at the source stays at the target.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counts = {state: Count("deliveries", filter=Q(deliveries__state=state)) for state in ("present", "failed")}
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(deliveries_total=Count("deliveries"), **counts)
        return counted

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its deliveries go with it, though nobody deletes one by itself; what was delivered stays where it is."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(lacking) - {Delivery._meta.verbose_name}, protected

    @display(description="deliveries")
    def state_label(self, rule: Any) -> str:
        failed = f", {rule.failed} failed" if rule.failed else ""
        return f"{rule.present} of {rule.deliveries_total} present{failed}"

    @display(description="works?")
    def idle_label(self, rule: ReplicationRule) -> str:
        return (why_idle(rule) or "Yes.") if rule.pk else "Once it is saved."

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            read_again(obj, list(form.changed_data))
        wake(RECONCILE)

    @action(description="Follow the primary: make the rules that replicas lack", permissions=["change"])
    def follow_primaries(self, request: HttpRequest, queryset: QuerySet[ReplicationRule]) -> None:
        user: Any = request.user
        made = follow_primaries(user.actor)
        names = ", ".join(rule.name for rule in made) or "none was lacking"
        messages.info(request, f"Rules made: {names}.")


@register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "repository",
        "tag",
        "digest_label",
        "target_label",
        "state_label",
        "verified_at",
        "attempts",
        "reason_text",
    ]
    list_filter = ["state", "rule", "rule__target"]
    list_select_related = ["rule__source", "rule__target", "copy_job"]
    search_fields = ["repository", "tag", "digest"]
    ordering = ["-id"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may send again."""
        return has_role(request, "platform_admin", "release_manager")

    @display(description="digest", ordering="digest")
    def digest_label(self, delivery: Delivery) -> str:
        return str(delivery.digest.short)

    @display(description="to", ordering="rule__target__name")
    def target_label(self, delivery: Delivery) -> str:
        return delivery.rule.target.name

    @display(description="state", label=COLOURS, ordering="state")
    def state_label(self, delivery: Delivery) -> str:
        return str(delivery.state)

    @action(description="Try again", permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        user: Any = request.user
        sent = sum(try_again(user.actor, delivery) for delivery in queryset.select_related("rule__target"))
        messages.info(request, f"{sent} deliveries are sent again.")
