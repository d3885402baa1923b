"""The token endpoint over the wire: what no client sends, against the servers that people really start."""

import socket
import threading
import time
from urllib.parse import urlencode

import pytest

from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes
from registries.topology.models import Registry
from tests.registries.access.cast import Login, make_person, make_registry, person_login
from tests.registries.access.served import COMMANDS, Served, start_serving

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = 1 << 20
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=COMMANDS)
def served(request: pytest.FixtureRequest, ports: Ports, processes: Processes) -> Served:
    return start_serving(request.param, ports, processes)


@pytest.fixture
def alice() -> Login:
    return person_login(make_person("alice"))


@pytest.fixture
def sandbox() -> Registry:
    return make_registry("sandbox")


def form_of(login: Login, registry: Registry, **more: str) -> bytes:
    values = {"grant_type": "password", "username": login.username, "password": login.secret}
    return urlencode(values | {"service": registry.service, "scope": "repository:a:pull"} | more).encode()


def status_of(answer: bytes) -> int:
    """Of the status line; 0 when the line was cut without one."""
    words = answer.split(b"\r\n", 1)[0].split()
    return int(words[1]) if len(words) > 1 else 0


def test_what_is_too_much_is_refused_and_the_server_lives_on(served: Served, alice: Login, sandbox: Registry) -> None:
    """All in one story: a server takes seconds to start. Each is refused in words, or the line is cut; none brings it down."""
    many, start = b"x" * MEGABYTE, b"GET /token?service=x HTTP/1.1\r\nHost: localhost\r\n"
    refused = {
        "a header of 1 MB": status_of(served.raw(start + b"X-Long: " + many + b"\r\n\r\n")),
        "a credential of 1 MB": status_of(served.raw(start + b"Authorization: Basic " + many + b"\r\n\r\n")),
        "a header name of 1 MB": status_of(served.raw(start + many + b": x\r\n\r\n")),
        "a line of 1 MB": status_of(served.raw(b"GET /token?scope=" + many + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        "1,000 headers": status_of(served.raw(start + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n")),
    }
    assert set(refused.values()) <= {0, 400, 414, 431}, refused
    assert any(refused.values()), refused
    kind = {"Content-Type": FORM}
    assert served.ask("POST", "/token", body=form_of(alice, sandbox) + b"&x=" + b"y" * 70_000, headers=kind)[0] == 413
    length = (
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + FORM.encode() + b"\r\nContent-Length: %d\r\n\r\n"
    )
    assert status_of(served.raw(length % MEGABYTE, b"grant_type=password")) == 413
    assert status_of(served.raw(length % (10**15), b"grant_type=password")) == 413
    assert served.lives(alice, sandbox)


def bytes_that_are_no_text(served: Served, sandbox: Registry) -> None:
    raw = (
        b"GET /token?service="
        + sandbox.service.encode()
        + b"&scope=repository:\xff\xfe:pull HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert status_of(served.raw(raw)) in (200, 400)
    kind = {"Content-Type": FORM}
    assert served.ask("POST", "/token", body=b"grant_type=password&username=\xff\xfe", headers=kind)[0] == 400
    assert served.ask("POST", "/token", body=b"a&" * 20_000, headers=kind)[0] == 400


def test_what_is_no_http_is_refused_and_the_server_lives_on(served: Served, alice: Login, sandbox: Registry) -> None:
    head = b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + FORM.encode() + b"\r\n"
    asked = {
        "NUL in the line": b"GET /token?service=\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "NUL in a header": b"GET /token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic \0\r\n\r\n",
        "not even HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "two lengths": head + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nabcde",
        "a length and chunks": head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a chunk of no size": head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "a chunk below nothing": head + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
        "a length below nothing": head + b"Content-Length: -5\r\n\r\n",
        "a length in words": head + b"Content-Length: five\r\n\r\n",
        "a folded header": b"GET /token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic\r\n x\r\n\r\n",
        "no host": b"GET /token?service=x HTTP/1.1\r\n\r\n",
        "a foreign host": b"GET /token?service=x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    }
    answers = {name: served.raw(sent, wait=8) for name, sent in asked.items()}
    for name, answer in answers.items():
        assert status_of(answer) in (0, 400, 401, 413, 501), f"{name}: {answer[:300]!r}"
        assert b'"token"' not in answer
        assert b"evil.example" not in answer
    bytes_that_are_no_text(served, sandbox)
    assert served.lives(alice, sandbox)


def test_a_body_that_trickles_in_is_read_and_holds_up_nobody(served: Served, alice: Login, sandbox: Registry) -> None:
    form = form_of(alice, sandbox)
    head = f"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nConnection: close\r\nContent-Length: {len(form)}\r\n\r\n"
    parts = [form[at : at + 16] for at in range(0, len(form), 16)]
    found: list[bytes] = []
    slow = threading.Thread(target=lambda: found.append(served.raw(head.encode(), *parts, pause=0.1)))
    slow.start()
    began = time.monotonic()
    assert served.lives(alice, sandbox)
    assert time.monotonic() - began < 5
    slow.join(60)
    assert status_of(found[0]) == 200
    assert b'"token"' in found[0]


def a_body_that_ends_before_its_length(served: Served, alice: Login, sandbox: Registry) -> None:
    form = form_of(alice, sandbox)
    head = (
        f"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {len(form) + 10}\r\n\r\n"
    )
    with socket.create_connection((LOOPBACK, served.port), timeout=20) as line:
        line.sendall(head.encode() + form[: len(form) // 2])
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65536)
    assert b'"token"' not in answer


def test_a_form_in_chunks_of_one_byte_and_one_in_a_chunk_with_an_extension(
    served: Served, alice: Login, sandbox: Registry
) -> None:
    form, kind = form_of(alice, sandbox), {"Content-Type": FORM}
    ones = (form[at : at + 1] for at in range(len(form)))
    assert served.ask("POST", "/token", body=ones, headers=kind, encode_chunked=True)[0] == 200
    head = f"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = f"{len(form):x};x=y\r\n".encode() + form + b"\r\n0\r\n\r\n"
    assert status_of(served.raw(head.encode() + chunk)) in (200, 400)
    endless = (b"a" * 65536 for _ in range(16))
    assert served.ask("POST", "/token", body=endless, headers=kind, encode_chunked=True)[0] == 413
    a_body_that_ends_before_its_length(served, alice, sandbox)
    assert served.lives(alice, sandbox)
