"""A server of somebody else is listened to for so long and no longer, and only where it was asked."""

import gzip
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from portal.http import outside
from portal.http.outside import UnreadableError, post_form, read_json
from tests.fakes.identity_provider import FakeProvider, fake_provider


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def test_an_object_is_read(server: FakeProvider) -> None:
    assert list(read_json(f"{server.url}/keys")) == ["keys"]


def test_a_redirect_is_not_followed(server: FakeProvider) -> None:
    server.said["/here"] = (302, "text/plain", b"", f"{server.url}/keys")
    with pytest.raises(UnreadableError, match="/here answered 302"):
        read_json(f"{server.url}/here")
    assert server.asked == ["/here"]


def test_a_small_answer_that_drips_ends_at_the_deadline(server: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "DEADLINE_SECONDS", 0.3)
    server.drips.add("/keys")
    begun = time.monotonic()
    with pytest.raises(UnreadableError, match="took longer than"):
        read_json(f"{server.url}/keys")
    assert time.monotonic() - begun < 3


def test_an_answer_is_as_large_as_it_says_or_smaller(server: FakeProvider) -> None:
    server.said["/large"] = (200, "application/json", b"[" + b"1," * 200_000 + b"1]", "")
    with pytest.raises(UnreadableError, match="more than 262144 bytes"):
        read_json(f"{server.url}/large")


def test_what_is_packed_is_counted_unpacked() -> None:
    packed = gzip.compress(b"[" + b"1," * 2_000_000 + b"1]")

    class Bomb(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    bomb = HTTPServer(("127.0.0.1", 0), Bomb)
    thread = Thread(target=bomb.handle_request)
    thread.start()
    try:
        with pytest.raises(UnreadableError, match="more than 262144 bytes"):
            read_json(f"http://127.0.0.1:{bomb.server_port}/")
    finally:
        thread.join()
        bomb.server_close()


def test_a_refusal_of_a_form_explains_itself(server: FakeProvider) -> None:
    assert post_form(f"{server.url}/token", {}, {}) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://127.0.0.1:99999/", "nonsense"])
def test_nobody_at_home_is_one_sentence(url: str) -> None:
    with pytest.raises(UnreadableError, match="could not be read"):
        read_json(url)
