"""How does every admin page behave? The one door to the theme, and what all our admin classes share.

Rights come from roles, never from Django's model permissions: who may look is everyone with a role, who may change is said by
each class in ``change_roles``. Every change made here is handed to the listeners (the audit) inside its own transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

from portal.admin_columns import column_of, fact_of, is_raw, labels_of
from portal.roles import has_role

__all__ = [
    "AdminPasswordChangeForm",
    "ModelAdmin",
    "PasswordWidget",
    "PortalAdminSite",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "RowPlace",
    "TabularInline",
    "TextWidget",
    "UserChangeForm",
    "UserCreationForm",
    "action",
    "change_listeners",
    "display",
    "has_role",
    "portal_places",
    "register",
    "row_places",
    "site",
]


Place = Callable[[Any], str | None]
portal_places: dict[str, Place] = {}
"""Model label -> the address of a row's page in the web portal. The roof fills it in; pages here link there."""


@dataclass(frozen=True, slots=True)
class RowPlace:
    """A further page about a row: its words, its icon, and its address for the row."""

    title: str
    icon: str
    address: Place


row_places: dict[str, list[RowPlace]] = {}
"""Model label -> further pages of the admin about a row. Upper floors add theirs to the pages of lower ones."""

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

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Plain fields are shown in words: see :mod:`portal.admin_columns`."""
        return [self.column(name) for name in super().get_list_display(request)]

    def column(self, name: Any) -> Any:
        """A name of a field as a column, unless the class shows it in its own way."""
        field = _field(self.model, name)
        return name if field is None or hasattr(self, name) else column_of(field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **{"labels": labels_of(self.model), **kwargs})

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(db_field, models.DateTimeField):
            field.help_text = f"{field.help_text} In UTC.".strip()
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where nobody may change anything, JSON is shown as facts and bytes as sizes."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self.fact(name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """The row's page in the web portal."""
        place = portal_places.get(self.opts.label_lower)
        return place(obj) if place and obj is not None else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With links to the further pages about the row."""
        row = kwargs.get("obj")
        places = row_places.get(self.opts.label_lower, ()) if row is not None else ()
        context["row_places"] = [
            {"title": place.title, "icon": place.icon, "url": place.address(row)} for place in places
        ]
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer

    def fact(self, name: Any) -> Any:
        """A name of a field with raw contents as something to be read."""
        field = _field(self.model, name)
        return fact_of(field) if field is not None and is_raw(field) and not hasattr(self, name) else name

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


def _field(model: type[models.Model], name: Any) -> models.Field[Any, Any] | None:
    """The model's own field of this name, if it has one and it is no relation."""
    found = next((field for field in model._meta.concrete_fields if field.name == name), None)
    return None if found is None or found.is_relation else found


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
    hide_title = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"labels": labels_of(self.model), **kwargs})


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
