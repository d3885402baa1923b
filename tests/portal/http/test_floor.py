"""How every face answers: one shape for refusals, one id for each request, a strict policy for pages, health without secrets."""

import json
import re
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from rest_framework import exceptions

from portal.http.health import readyz
from portal.http.problem import Problem, problem_handler, problem_response
from portal.http.request_id import RequestIdMiddleware, current_request_id

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def test_a_problem_is_one_document_for_machines_and_people() -> None:
    answer = problem_response(Problem(409, "conflict", "It has changed.", errors=[{"field": "version"}], retry_in=5))
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert json.loads(answer.content) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "conflict",
        "detail": "It has changed.",
        "errors": [{"field": "version"}],
        "request_id": "",
        "retry_in": 5,
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Problem(422, "gate_failed", "No."), 422, "gate_failed"),
        (Http404("table users_user has no row 5"), 404, "not_found"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
    ],
)
def test_every_refusal_of_the_api_is_a_problem(error: Exception, status: int, code: str) -> None:
    answer = problem_handler(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["status"], answer.data["code"]) == (status, status, code)
    assert "users_user" not in answer.data["detail"]
    assert answer.content_type == "application/problem+json"


def test_when_to_come_back_is_kept() -> None:
    answer = problem_handler(exceptions.Throttled(wait=7), {})
    assert answer is not None
    assert answer["Retry-After"] == "7"


def test_findings_name_their_fields_however_deep() -> None:
    error = exceptions.ValidationError({"items": [{}, {"digest": ["Not a digest."]}], "tag": ["Too long.", "Bad."]})
    answer = problem_handler(error, {})
    assert answer is not None
    assert answer.data["errors"] == [
        {"field": "items.digest", "detail": "Not a digest."},
        {"field": "tag", "detail": "Too long."},
        {"field": "tag", "detail": "Bad."},
    ]


def test_what_is_no_refusal_is_not_dressed_up_as_one() -> None:
    assert problem_handler(ZeroDivisionError(), {}) is None


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("abcd-1234", True),
        ("a" * 64, True),
        ("", False),
        ("short", False),
        ("a" * 65, False),
        ("with space 1", False),
        ("line\nbreak-1", False),
        ("<script>alert", False),
        ("ünïcödë-123", False),
    ],
)
def test_a_request_has_one_id(given: str, is_kept: bool) -> None:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_request_id.get())
        return HttpResponse()

    answer = RequestIdMiddleware(view)(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert answer["X-Request-ID"] == seen[0]
    assert (seen[0] == given) is is_kept
    assert is_kept or re.fullmatch(r"[0-9a-f]{32}", seen[0])
    assert current_request_id.get() == ""


def test_the_policy_is_strict_and_relaxed_for_the_admin_alone(client: Client) -> None:
    strict = client.get("/accounts/login/")["Content-Security-Policy"]
    assert "unsafe" not in strict
    assert "default-src 'self'" in strict
    assert "frame-ancestors 'none'" in strict
    admin = client.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "frame-ancestors 'none'" in admin
    for path in ("/administer/", "/adminx", "/x/admin/"):
        assert "unsafe" not in client.get(path)["Content-Security-Policy"]


@pytest.fixture
def broken_database() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise DatabaseError('connection to server at "10.0.0.3" failed for user "portreeve"')

    with connection.execute_wrapper(refuse):
        yield


def test_ready_means_the_database_answers(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_not_ready_says_no_more_than_strangers_may_know(
    broken_database: None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = readyz(RequestFactory().get("/readyz"))
    assert answer.status_code == 503
    assert "10.0.0.3" not in answer.content.decode()
    assert "10.0.0.3" in caplog.text
