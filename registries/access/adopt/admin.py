"""Registries that are brought in, and what belongs to them, in the admin."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.actor import Actor
from portal.admin_site import ModelAdmin, ReadOnlyAdmin, action, display, has_role, register
from registries.access.adopt.cutover import CannotCutOverError, cut_over, go_back, probe_registry
from registries.access.adopt.decide import decide_name, disable_login, enable_login, forget_decision
from registries.access.adopt.forms import AdoptionForm, LogForm, NameForm, UsersForm
from registries.access.adopt.htpasswd import NoHtpasswdError, read_htpasswd
from registries.access.adopt.import_users import Wish, import_users
from registries.access.adopt.log_files import LogFile
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision, SeenRequest
from registries.access.adopt.outlook import make_drafts
from registries.access.adopt.page import page_context, report_page
from registries.access.adopt.read_log import read_log

# Unpacked: what a page may take its time for.
MAX_UNPACKED_BYTES = 128 * 1024 * 1024
STATE_COLOURS = {"works": "success", "disabled": "danger", "ended": "warning"}


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    actor: Actor = user.actor
    return actor


@register(Adoption)
class AdoptionAdmin(ReadOnlyAdmin):
    """Begun by choosing a registry; each step is a form on its page."""

    form = AdoptionForm
    can_add = True
    list_display = ["registry", "reach_label", "log_read_at", "probe_is_good", "cut_over_at", "went_back_at"]
    list_filter = ["probe_is_good", "cut_over_at"]
    list_select_related = ["registry"]
    search_fields = ["registry__name"]
    change_form_outer_before_template = "admin/access/adopt.html"
    add_fieldsets = [(None, {"fields": ["registry"]})]
    fieldsets = [
        ("When", {"fields": ["registry", "started_at", "log_read_at", "probed_at", "cut_over_at", "went_back_at"]})
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_urls(self) -> list[URLPattern]:
        posts = {
            "users": self.users_view, "log": self.log_view, "name": self.name_view, "drafts": self.drafts_view,
            "probe": self.probe_view, "cutover": self.cut_over_view, "back": self.back_view,
        }  # fmt: skip
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(require_POST(view)), name=f"access_adoption_{name}")
            for name, view in posts.items()
        ]
        report = path("<int:pk>/report/", self.admin_site.admin_view(self.report_view), name="access_adoption_report")
        return [*own, report, *super().get_urls()]

    @display(description="reach", ordering="registry__reach")
    def reach_label(self, adoption: Adoption) -> str:
        return str(adoption.registry.reach)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        messages.info(request, f"Nothing has changed at {obj.registry} yet. The steps are below.")
        return redirect("admin:access_adoption_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = Adoption.objects.select_related("registry__zone")
        adoption = rows.filter(pk=object_id).first() if object_id.isdigit() else None
        may_look = adoption is not None and self.has_view_permission(request)
        own = page_context(adoption, _may_change(request)) if adoption is not None and may_look else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **own})
        return response

    def users_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Import, or look what importing would do; the answer lists each name."""
        adoption, form = _opened(request, pk), UsersForm(request.POST, request.FILES)
        if not form.is_valid():
            return _not_so(request, adoption, form)
        given = form.cleaned_data
        wish = Wish(
            timezone.now() + timedelta(days=int(given["days"])), given["team"], given["kind"], given["robot"], given["names"].split()
        )  # fmt: skip
        is_dry_run = "look" in request.POST
        try:
            found = read_htpasswd(form.data_given())
        except NoHtpasswdError as error:
            messages.error(request, str(error))
            return redirect("admin:access_adoption_change", pk)
        outcomes = import_users(_actor(request), adoption.registry, found, wish, is_dry_run=is_dry_run)
        context = self.admin_site.each_context(request) | {
            "adoption": adoption, "outcomes": outcomes[:1000], "total": len(outcomes), "is_dry_run": is_dry_run,
            "count": sum(row.what == "imported" for row in outcomes), "title": f"Users of {adoption.registry}",
            "back": reverse("admin:access_adoption_change", args=[pk]),
        }  # fmt: skip
        return render(request, "admin/access/adopt_users.html", context)

    def log_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption, form = _opened(request, pk), LogForm(request.POST, request.FILES)
        if not form.is_valid():
            return _not_so(request, adoption, form)
        read = LogFile(form.cleaned_data["log"].file, MAX_UNPACKED_BYTES)
        return _done(
            request, pk, lambda: read_log(_actor(request), adoption.registry, [read]), "The log was read.", "log"
        )

    def name_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption, form = _opened(request, pk), NameForm(request.POST)
        if not form.is_valid():
            return _not_so(request, adoption, form)
        username, person = form.cleaned_data["username"], form.cleaned_data["person"]
        if "forget" in request.POST:
            forget_decision(_actor(request), adoption, username)
        elif person is None and "refuse" not in request.POST:
            messages.error(request, f"Say which person {username} is, or that it is to be refused.")
        else:
            decide_name(_actor(request), adoption, username, person if "refuse" not in request.POST else None)
        return redirect(f"{reverse('admin:access_adoption_change', args=[pk])}#report")

    def drafts_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        made = make_drafts(_actor(request), _opened(request, pk), timezone.now())
        messages.success(request, f"{len(made)} drafts were made; none is in force before somebody puts it in force.")
        return redirect(f"{reverse('admin:access_adoption_change', args=[pk])}#report")

    def probe_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption = _opened(request, pk)
        found = probe_registry(_actor(request), adoption)
        (messages.success if found.is_good else messages.warning)(request, f"{adoption.registry}: {found.text}.")
        return redirect(f"{reverse('admin:access_adoption_change', args=[pk])}#config")

    def cut_over_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption = _opened(request, pk)
        said = f"{adoption.registry} is enforced now: it trusts the portal's tokens."
        return _done(request, pk, lambda: cut_over(_actor(request), adoption), said, "watch")

    def back_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption = _opened(request, pk)
        said = (
            f"{adoption.registry} decides by its own again. Start it with its old configuration, if that is not done."
        )
        return _done(request, pk, lambda: go_back(_actor(request), adoption), said, "back")

    def report_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        adoption = get_object_or_404(Adoption.objects.select_related("registry__zone"), pk=pk)
        return report_page(request, adoption, self.admin_site.each_context(request))


def _may_change(request: HttpRequest) -> bool:
    return has_role(request, "platform_admin")


def _opened(request: HttpRequest, pk: int) -> Adoption:
    """The row, for those who may take a step."""
    if not _may_change(request):
        raise PermissionDenied("Registries are brought in by platform admins.")
    return get_object_or_404(Adoption.objects.select_related("registry__zone", "registry__fronts"), pk=pk)


def _not_so(request: HttpRequest, adoption: Adoption, form: Any) -> HttpResponseBase:
    for name, faults in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        messages.error(request, f"{label or name}: {' '.join(faults)}")
    return redirect("admin:access_adoption_change", adoption.pk)


def _done(request: HttpRequest, pk: int, act: Callable[[], object], said: str, anchor: str) -> HttpResponseBase:
    """Act and say so, or say why not."""
    try:
        act()
        messages.success(request, said)
    except (CannotCutOverError, ValueError) as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('admin:access_adoption_change', args=[pk])}#{anchor}")


@register(ImportedLogin)
class ImportedLoginAdmin(ModelAdmin):
    """Old user names and passwords that still work. Imported in the steps of a registry; whom one acts as and when it ends can change."""

    can_add = False
    list_display = ["username", "registry", "robot", "state_label", "last_used_at", "expires_at"]
    list_filter = ["registry", "expires_at", "disabled_at", "last_used_at"]
    list_select_related = ["registry", "robot"]
    search_fields = ["username", "robot__name"]
    autocomplete_fields = ["robot"]
    actions = ["disable_selected", "enable_selected"]
    fields = ["registry", "username", "robot", "expires_at", "state_label", "created_at", "last_used_at", "disabled_at"]
    readonly_fields = ["registry", "username", "state_label", "created_at", "last_used_at", "disabled_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer("password_hash")

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return has_role(request, "platform_admin", "security")

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, login: ImportedLogin) -> str:
        if login.is_live(timezone.now()):
            return "works"
        return "disabled" if login.disabled_at else "ended"

    @action(description="Disable: the old password is good no more from the next request on", permissions=["disable"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        done = sum(disable_login(_actor(request), login) for login in queryset.select_related("robot", "registry"))
        messages.success(request, f"{done} disabled. Tokens made with them end within six minutes.")

    @action(description="Enable again, until its end", permissions=["change"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        done = sum(enable_login(_actor(request), login) for login in queryset.select_related("robot", "registry"))
        messages.success(request, f"{done} work again.")


@register(SeenRequest)
class SeenRequestAdmin(ReadOnlyAdmin):
    list_display = ["username", "is_named", "action", "repository", "count", "address", "last_at", "adoption"]
    list_filter = ["adoption__registry", "action", "is_named", "is_mount"]
    list_select_related = ["adoption__registry"]
    search_fields = ["username", "repository"]


@register(NameDecision)
class NameDecisionAdmin(ReadOnlyAdmin):
    list_display = ["username", "person", "adoption", "decided_by", "decided_at"]
    list_filter = ["adoption__registry"]
    list_select_related = ["person", "adoption__registry"]
    search_fields = ["username", "person__username"]
