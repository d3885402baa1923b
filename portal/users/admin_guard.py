"""In the admin nobody can lock everybody out either: on the person's page, on their roles, in the list, or by the password page."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from portal.users.last_admin import LastAdminError, an_admin_remains

View = Callable[[], HttpResponse]


class KeepsAnAdmin:
    """Before the theme's admin class. Every form that is sent is guarded as a whole, so that no way through a page is forgotten."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Refused on the form itself, with all that was typed."""
        parent: Any = super()

        def view() -> HttpResponse:
            answer: HttpResponse = parent.changeform_view(request, object_id, form_url, extra_context)
            return answer

        def again(sentence: str) -> HttpResponse:
            marked: Any = request
            marked.admin_refusal = sentence
            return view()

        return _guarded(request, view, again)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        parent: Any = super()
        form: Any = parent.get_form(request, obj, change=change, **kwargs)
        sentence = getattr(request, "admin_refusal", "")
        return _refused(form, sentence) if sentence else form

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        parent: Any = super()
        return _guarded(
            request, lambda: parent.delete_view(request, object_id, extra_context), _back(request, "change", object_id)
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        parent: Any = super()
        return _guarded(request, lambda: parent.changelist_view(request, extra_context), _back(request, "changelist"))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        parent: Any = super()
        return _guarded(
            request, lambda: parent.user_change_password(request, id, form_url), _back(request, "change", id)
        )


def _guarded(request: HttpRequest, view: View, refused: Callable[[str], HttpResponse]) -> HttpResponse:
    if request.method != "POST":
        return view()
    session = request.session.session_key
    try:
        with an_admin_remains():
            return view()
    except LastAdminError as error:
        _as_before(request, session)
        return refused(str(error))


def _as_before(request: HttpRequest, session: str | None) -> None:
    """The database is as it was, and the request has to be too: what the page said of its success is not true, and who wanted
    to take their own password is still signed in with the session they had."""
    marked: Any = request
    if request.session.session_key != session:
        request.session = type(request.session)(session)
    marked._messages = default_storage(request)


def _back(request: HttpRequest, place: str, *arguments: str) -> Callable[[str], HttpResponse]:
    def go(sentence: str) -> HttpResponse:
        messages.error(request, sentence)
        return HttpResponseRedirect(reverse(f"admin:users_user_{place}", args=arguments), status=HTTPStatus.SEE_OTHER)

    return go


def _refused(form: Any, sentence: str) -> Any:
    class Refused(form):  # type: ignore[misc]
        def clean(self) -> Any:
            super().clean()
            raise ValidationError(sentence)

    return Refused
