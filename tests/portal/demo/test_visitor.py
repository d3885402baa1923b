"""A visitor fills in forms as a browser does, and says what the portal complained about."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from portal.demo.errors import DemoError
from portal.demo.visitor import ApiUser, Visitor

LOGIN = (
    '<form method="post"><input name="csrfmiddlewaretoken" value="t"><input name="login"><input name="password"></form>'
)


class Portal(BaseHTTPRequestHandler):
    """Knows alice and her password, wants the token of its form, and has one page behind the login."""

    def do_GET(self) -> None:
        if self.path == "/accounts/login/":
            self.answer(200, LOGIN)
        elif self.path == "/api/v1/me":
            self.answer(200 if self.headers["Authorization"] == "Bearer s3cret" else 401, '{"name": "robbie"}')
        elif "session=alice" in self.headers.get("Cookie", ""):
            self.answer(200, "<h1>hello alice</h1>")
        else:
            self.answer(403, '<p class="errornote">Sign in first.</p>')

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert sent["csrfmiddlewaretoken"] == ["t"]
        assert self.headers["Referer"].endswith("/accounts/login/")
        if (sent["login"], sent["password"]) == (["alice"], ["right"]):
            self.answer(302, "", Location="/", **{"Set-Cookie": "session=alice; Path=/"})
        else:
            self.answer(200, f'<ul class="errorlist"><li>Wrong name or password.</li></ul>{LOGIN}')

    def answer(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def portal_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_alice_signs_in_and_sees_her_page(portal_url: str) -> None:
    alice = Visitor(portal_url, "alice")
    alice.sign_in("right")
    assert "hello alice" in alice.read("/")


def test_a_refused_sign_in_says_what_the_page_says(portal_url: str) -> None:
    with pytest.raises(DemoError, match=r"^alice could not sign in: Wrong name or password\.$"):
        Visitor(portal_url, "alice").sign_in("wrong")


def test_a_page_that_does_not_open_says_why(portal_url: str) -> None:
    with pytest.raises(DemoError, match=r"charlie asked for / and got 403: Sign in first\."):
        Visitor(portal_url, "charlie").read("/")


def test_a_form_that_is_not_there_is_named(portal_url: str) -> None:
    with pytest.raises(DemoError, match="no form with code; it has: login, password"):
        Visitor(portal_url, "alice").fill_in("/accounts/login/", {"code": "1"})


def test_a_program_shows_its_secret_at_the_api(portal_url: str) -> None:
    assert ApiUser(portal_url, "s3cret").get("/api/v1/me") == {"name": "robbie"}
    with pytest.raises(DemoError, match="GET /api/v1/me was answered 401"):
        ApiUser(portal_url, "guessed").get("/api/v1/me")
