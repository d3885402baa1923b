"""The browser fixture: a real Chromium that sees loopback and nothing else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error, Page


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>hello</title><p>from a server")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def greeting_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.browser
def test_a_page_of_ours_opens_and_foreign_ones_do_not(page: Page, greeting_url: str) -> None:
    page.goto(greeting_url)
    assert page.title() == "hello"
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://registry.example/")
