"""How does every admin page behave? The one door to the theme, and what all our admin classes share.

Rights come from roles, never from Django's model permissions: who may look is everyone with a role, who may change is said by
each class in ``change_roles``. Every change made here is handed to the listeners (the audit) inside its own transaction."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminPasswordWidget as PasswordWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

from portal.roles import has_role

__all__ = [
    "AdminPasswordChangeForm",
    "ModelAdmin",
    "PasswordWidget",
    "PortalAdminSite",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "TabularInline",
    "TextWidget",
    "UserChangeForm",
    "UserCreationForm",
    "action",
    "change_listeners",
    "display",
    "has_role",
    "register",
    "site",
]


ChangeListener = Callable[[HttpRequest, models.Model, str, dict[str, Any]], None]
change_listeners: list[ChangeListener] = []


class PortalAdminSite(UnfoldAdminSite):
    """Login is the portal's own; people without any role are not let in."""

    site_header = "Portreeve"
    site_title = "Portreeve admin"
    index_title = "Governing the registries"

    def has_permission(self, request: HttpRequest) -> bool:
        return has_role(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            from django.core.exceptions import PermissionDenied

            raise PermissionDenied("The admin is for people with a role. Ask a platform admin for one.")
        return redirect_to_login(request.GET.get("next", request.path), reverse("account_login"))


site = PortalAdminSite(name="admin")


class EstimatingPaginator(Paginator[Any]):
    """Counts exactly while that is cheap; past ten thousand rows PostgreSQL's own estimate serves."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet) or rows.query.where or connection.vendor != "postgresql":
            return super().count
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table]
            )
            estimate = int(cursor.fetchone()[0])
        return estimate if estimate > 10_000 else super().count


class RoleRightsMixin:
    """Who may do what, by role; used by pages and inlines alike."""

    change_roles: ClassVar[Sequence[str]] = ("platform_admin",)
    can_add: ClassVar[bool] = True
    can_delete_rows: ClassVar[bool] = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_add and has_role(request, *self.change_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(request, *self.change_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete_rows and has_role(request, *self.change_roles)


class ModelAdmin(RoleRightsMixin, UnfoldModelAdmin):
    """Base of every admin class of the portal."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_sheet = False
    compressed_fields = True
    warn_unsaved_form = True

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.report(request, obj, "changed" if change else "created", {"fields": list(form.changed_data)})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.report(request, obj, "deleted", {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Rows edited on their owner's page are reported one by one, as if on pages of their own."""
        for removed in formset.deleted_forms:
            if removed.instance.pk:
                self.report(request, removed.instance, "deleted", {})
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            self.report(request, row, "created", {})
        for row, fields in formset.changed_objects:
            self.report(request, row, "changed", {"fields": list(fields)})

    def report(self, request: HttpRequest, obj: models.Model, verb: str, detail: dict[str, Any]) -> None:
        """Tell the listeners what was done to a row, in the transaction that does it."""
        for listener in change_listeners:
            listener(request, obj, verb, detail)


class ReadOnlyAdmin(ModelAdmin):
    """Rows that operations write and people only read."""

    can_add = False
    can_delete_rows = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TabularInline(RoleRightsMixin, UnfoldTabularInline):
    """Rows edited on their owner's page."""

    extra = 0
    tab = False


class ReadOnlyInline(TabularInline):
    """Rows shown on their owner's page."""

    can_add = False
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Also columns that no form could hold, such as times set by the database row itself."""
        return list(dict.fromkeys([*super().get_readonly_fields(request, obj), *(self.fields or ())]))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def register(*model: type[models.Model]) -> Callable[[type[Any]], type[Any]]:
    """``@register(Model)``: show the model on our site."""
    return admin.register(*model, site=site)
