"""A person's page in the admin, with the way to the page of those who leave. People stand a floor below and know of no secrets, so
their page is taken up here and added to."""
# mypy: allow-untyped-decorators, allow-subclassing-any

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.admin_site import display, register, site
from portal.users.admin import UserAdmin
from portal.users.models import User
from registries.access.farewell.leaving_page import leaving_page

site.unregister(User)


@register(User)
class PersonAdmin(UserAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.leaving_view)
        return [path("<int:pk>/leaving/", view, name="users_user_leaving"), *super().get_urls()]

    def leaving_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What hangs on them, and one action that rotates and disables."""
        return leaving_page(request, pk, self.admin_site.each_context(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, ("Leaving", {"fields": ["leaving"]})] if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["leaving"] if obj else [])]

    @display(description="when they leave")
    def leaving(self, person: User) -> SafeString:
        address = reverse("admin:users_user_leaving", args=[person.pk])
        return format_html(
            '<a class="text-primary-600" href="{}">What they own and were shown, and letting them go</a>', address
        )
