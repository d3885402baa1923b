"""Drafts in the admin: chosen, held against what was really asked, and put in force or thrown away from there."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from portal.admin_site import TextWidget, action, display, has_role, register
from portal.http.problem import Problem
from portal.http.tables import table_of
from portal.jobs.admin import JobAdmin
from portal.jobs.models import JobState
from registries.access.drafting.drafts import discard_drafts
from registries.access.drafting.hold_drafts import MOST_KEPT, UNKNOWN
from registries.access.drafting.trial_models import DraftTrial
from registries.access.drafting.trials import COLUMNS, order_trial, put_trial_in_force, rules_of_trial
from registries.access.epoch import current_epoch
from registries.access.models import AccessRule

SHOWN = 50


class DraftActions:
    """For the list of access rules: chosen drafts are tried, chosen rules left out."""

    @action(description="Hold against the last 30 days: drafts in force, rules left out", permissions=["change"])
    def hold_selected(self, request: HttpRequest, queryset: QuerySet[AccessRule]) -> HttpResponse | None:
        chosen = list(queryset.select_related("team", "user", "robot", "zone", "registry"))
        return ordered(request, [row for row in chosen if row.is_draft], [row for row in chosen if not row.is_draft])

    @action(description="Throw drafts away", permissions=["change"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[AccessRule]) -> None:
        gone = discard_drafts(_actor(request), list(queryset))
        messages.success(request, f"{gone} thrown away. Rules in force stay as they are.")


def ordered(request: HttpRequest, drafts: list[AccessRule], without: list[AccessRule]) -> HttpResponse | None:
    """Order the trial and go to its page; None, and a sentence, where there is nothing to try."""
    try:
        trial = order_trial(_actor(request), drafts, without)
    except Problem as problem:
        messages.error(request, problem.detail)
        return None
    return redirect("admin:access_drafttrial_change", trial.pk)


def _actor(request: HttpRequest) -> Any:
    user: Any = request.user
    return user.actor


class DraftsField(forms.ModelMultipleChoiceField[AccessRule]):
    """Drafts by their keys, for two of them may read alike."""

    def label_from_instance(self, obj: Any) -> str:
        return f"draft {obj.pk}: {obj}" + (f", {obj.reason}" if obj.reason else "")


class TrialForm(forms.ModelForm[DraftTrial]):
    """Which drafts, and which rules to leave out?"""

    chosen = DraftsField(
        AccessRule.objects.none(),
        label="Drafts",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="An access rule becomes a draft by the box “draft” on its page.",
    )
    leave_out = forms.CharField(
        label="Rules to leave out",
        required=False,
        widget=TextWidget(),
        help_text="Keys of rules in force, with commas between them, such as 17, 23: as if they had ended. "
        "They can also be chosen in the list of access rules.",
    )

    class Meta:
        model = DraftTrial
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafts = AccessRule.objects.filter(is_draft=True).select_related("team", "user", "robot", "zone", "registry")
        self.fields["chosen"].queryset = drafts.order_by("pk")  # type: ignore[attr-defined]

    def clean_chosen(self) -> list[AccessRule]:
        return list(self.cleaned_data["chosen"])

    def clean_leave_out(self) -> list[AccessRule]:
        """The rules; what is no key of one is named."""
        words = str(self.cleaned_data["leave_out"]).replace(",", " ").split()
        rows = list(AccessRule.objects.filter(pk__in=[int(word) for word in words if _is_key(word)], is_draft=False))
        known = {str(row.pk) for row in rows}
        missing = [word for word in words if word not in known]
        if missing:
            raise forms.ValidationError(f"There is no rule in force with the key {', '.join(missing)[:80]}.")
        return rows

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["chosen"] and not cleaned["leave_out"]:
            raise forms.ValidationError("Choose at least one draft, or one rule to leave out.")
        return cleaned


def _is_key(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 19


@register(DraftTrial)
class DraftTrialAdmin(JobAdmin):
    """Made here by choosing drafts; what came out is on its page."""

    form = TrialForm
    can_add = True
    act_roles = ("platform_admin",)
    job_columns = ["about_label", "refused_count", "allowed_count"]
    change_form_outer_before_template = "admin/access/trial.html"
    add_fieldsets = [(None, {"fields": ["chosen", "leave_out"]})]
    fieldsets = [
        ("By whom and when", {"fields": ["actor_name", "created_at", "finished_at", "about"]}),
        ("How it went", {"fields": ["state", "reason_text", "progress_note", "attempt"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/rows.<str:form>", view(self.rows_view), name="access_drafttrial_rows"),
            path("<int:pk>/put/", view(self.put_view), name="access_drafttrial_put"),
            path("<int:pk>/again/", view(self.again_view), name="access_drafttrial_again"),
        ]
        return [*own, *super().get_urls()]

    @display(description="of what")
    def about_label(self, trial: DraftTrial) -> str:
        first, _, more = trial.about.partition("\n")
        return f"{first}, and more" if more else first

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        obj.pk = order_trial(_actor(request), values["chosen"], values["leave_out"]).pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return redirect("admin:access_drafttrial_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        trial = DraftTrial.objects.filter(pk=object_id).first() if _is_key(object_id) else None
        own = trial_context(request, trial) if trial and self.has_view_permission(request) else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **own})
        return response

    def rows_view(self, request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
        """What would turn, as CSV or JSON."""
        trial = get_object_or_404(DraftTrial, pk=pk)
        if form == "json":
            return JsonResponse({**trial.result, "about": trial.about.splitlines(), "unknown": UNKNOWN})
        rows = [{name: row.get(name) for name in COLUMNS} for row in trial.result.get("rows", [])]
        answer = HttpResponse(table_of(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="trial-{pk}.csv"'
        return answer

    @method_decorator(require_POST)
    def put_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: what was tried becomes the policy."""
        trial = get_object_or_404(DraftTrial, pk=pk)
        if not self.has_act_permission(request):
            messages.error(request, "Rules are put in force by platform admins.")
            return redirect("admin:access_drafttrial_change", pk)
        try:
            count = put_trial_in_force(_actor(request), trial)
            messages.success(
                request, f"{count} in force from now on. Tokens that are out live on for their few minutes."
            )
        except Problem as problem:
            messages.error(request, problem.detail)
        return redirect("admin:access_drafttrial_change", pk)

    @method_decorator(require_POST)
    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: the same drafts once more, as they are now."""
        trial = get_object_or_404(DraftTrial, pk=pk)
        if not self.has_act_permission(request):
            messages.error(request, "Trials are ordered by platform admins.")
            return redirect("admin:access_drafttrial_change", pk)
        return ordered(request, *rules_of_trial(trial)) or redirect("admin:access_drafttrial_change", pk)


def trial_context(request: HttpRequest, trial: DraftTrial) -> dict[str, Any]:
    """What the page of a trial shows above its fields."""
    drafts, without = rules_of_trial(trial)
    result = trial.result
    rows = result.get("rows", [])
    is_done = trial.state == JobState.DONE and bool(result)
    in_force_still = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    can_act = has_role(request, "platform_admin")
    return {
        "trial": trial,
        "result": result if is_done else None,
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
        "most_kept": MOST_KEPT,
        "unknown": UNKNOWN,
        "is_stale": is_done and trial.epoch != current_epoch(),
        "is_settled": is_done and len(drafts) < len(trial.drafts),
        "can_act": can_act,
        "can_put": can_act and is_done and (bool(drafts) and len(drafts) == len(trial.drafts)),
        "leaves_out_alone": is_done and not trial.drafts,
        "drafts_url": f"{reverse('admin:access_accessrule_changelist')}?is_draft__exact=1",
        "without_left": AccessRule.objects.filter(in_force_still, pk__in=[row.pk for row in without]).count(),
    }
