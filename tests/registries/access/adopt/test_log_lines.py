"""Lines of real logs: Distribution 2.8.2 and 3.1.1 with htpasswd, asked by skopeo and by hand; of proxies; and of people who mean ill."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.access.adopt.log_files import MAX_LINE_BYTES, LogFile
from registries.access.adopt.log_lines import Answered, Named, Request, read_line
from registries.access.adopt.sightings import MAX_ROWS, Key, Sightings

LOGS = Path(__file__).parent / "logs"
MIXED = "shop/mixed"


def seen_in(*lines: bytes | str) -> Sightings:
    sightings = Sightings()
    sightings.read(line if isinstance(line, bytes) else line.encode() for line in lines)
    return sightings


def seen_of(name: str) -> Sightings:
    with (LOGS / name).open("rb") as stream:
        sightings = Sightings()
        sightings.read(LogFile(stream))
    return sightings


def counts(sightings: Sightings) -> dict[tuple[Any, ...], int]:
    return {
        (key.username, key.action, key.repository, key.is_mount): seen.count for key, seen in sightings.rows.items()
    }


NAMED = {
    ("payments-ci", "pull", "payments/api", False): 4, ("payments-ci", "push", "payments/api", False): 4,
    ("payments-ci", "push", "payments/web", False): 1, ("payments-ci", "pull", "payments/api", True): 1,
    ("Shop.Reader", "pull", "payments/api", False): 3, ("mona", "pull", "payments/web", False): 1,
    ("mona", "delete", "payments/web", False): 1, ("payments-ci", "catalog", "", False): 1,
    ("payments-ci", "delete", "payments/api", False): 1,
}  # fmt: skip


@pytest.mark.parametrize("name", ["distribution-3-text.log", "distribution-3-json.log"])
def test_version_3_names_everybody(name: str) -> None:
    sightings = seen_of(name)
    assert counts(sightings) == {**NAMED, ("mona", "login", "", False): 1}
    assert (sightings.requests, sightings.named, sightings.not_understood) == (17, 17, 0)
    assert not sightings.knows_strangers
    assert dict(sightings.wrong_logins) == {"mona": 1}


def test_version_28_at_level_debug_names_users_in_lines_before_the_answer() -> None:
    sightings = seen_of("distribution-2.8-debug.log")
    assert counts(sightings) == NAMED
    assert sightings.named == sightings.requests == 16


@pytest.mark.parametrize("name", ["distribution-2.8-text.log", "distribution-2.8-json.log"])
def test_version_28_at_level_info_names_users_of_failures_alone(name: str) -> None:
    sightings = seen_of(name)
    found = counts(sightings)
    assert found["payments-ci", "pull", "payments/api", False] == 2
    assert found[None, "push", "payments/api", False] == 4
    assert (sightings.requests, sightings.named, sightings.not_understood) == (14, 3, 0)
    assert not sightings.knows_strangers  # all had logged in, though the log does not say as whom
    assert dict(sightings.wrong_logins) == {"mona": 1, "zed": 1}


def test_its_access_log_names_nobody_and_tells_what_was_done() -> None:
    sightings = seen_of("distribution-access.log")
    assert sightings.source == "access"
    assert not sightings.knows_strangers
    assert counts(sightings)[None, "push", "payments/api", False] == 4
    assert sightings.refused == 2


def test_both_in_one_file_are_not_counted_twice() -> None:
    lines = [*lines_of("distribution-3-text.log"), *lines_of("distribution-access.log")]
    sightings = seen_in(*lines)
    assert (sightings.source, sightings.requests) == ("application", 17)


def test_the_time_of_first_and_last_is_kept() -> None:
    seen = seen_of("distribution-3-text.log").rows[Key("payments-ci", "127.0.0.1", "push", "payments/api")]
    assert seen.first_at is not None
    assert seen.last_at is not None
    assert seen.first_at.isoformat() == "2026-11-27T14:18:02+00:00"
    assert seen.first_at <= seen.last_at


NGINX = (
    '10.1.2.3 - mona [27/Nov/2026:14:17:56 +0100] "GET /v2/payments/api/manifests/1 HTTP/1.1" 200 306 "-" "docker/28"\n'
)


def only(line: str) -> Request:
    said = read_line(line.encode())
    assert isinstance(said, Request), said
    return said


def test_a_proxy_names_everybody_so_that_no_name_means_a_stranger() -> None:
    sightings = seen_in(NGINX, NGINX.replace("mona", "-"))
    assert sightings.knows_strangers
    asked = only(NGINX)
    assert (asked.username, asked.address, asked.action) == ("mona", "10.1.2.3", "pull")
    assert asked.at is not None
    assert asked.at.isoformat() == "2026-11-27T13:17:56+00:00"


@pytest.mark.parametrize(
    ("line", "username", "address"),
    [
        (NGINX.replace("mona", "our build server"), "our build server", "10.1.2.3"),
        (NGINX.replace("mona", r"m\xC3\xB6na"), "möna", "10.1.2.3"),
        (NGINX.replace("10.1.2.3", "2001:db8::7"), "mona", "2001:db8::7"),
        ("2026-11-27T14:17:56.1Z " + NGINX, "mona", "10.1.2.3"),
        ("Nov 27 14:17:56 edge nginx: " + NGINX, "mona", "10.1.2.3"),
        ("2026-11-27T14:17:56.1Z stdout F " + NGINX, "mona", "10.1.2.3"),
        (json.dumps({"log": NGINX, "stream": "stdout", "time": "2026-11-27T14:17:56Z"}), "mona", "10.1.2.3"),
        (NGINX.replace("mona", "a - b"), "a - b", "10.1.2.3"),
    ],
)  # fmt: skip
def test_lines_are_found_within_what_collectors_add(line: str, username: str, address: str) -> None:
    asked = only(line)
    assert (asked.username, asked.address, asked.repository) == (username, address, "payments/api")


@pytest.mark.parametrize(
    ("request_line", "action", "repository", "mounted_from"),
    [
        ("HEAD /v2/a/blobs/sha256:0", "pull", "a", ""), ("GET /v2/a/b/c/tags/list?n=5", "pull", "a/b/c", ""),
        ("GET /v2/a/referrers/sha256:0", "pull", "a", ""), ("PATCH /v2/a/blobs/uploads/x?_state=y", "push", "a", ""),
        ("PUT /v2/a/manifests/v1", "push", "a", ""), ("DELETE /v2/a/manifests/sha256:0", "delete", "a", ""),
        ("POST /v2/a/blobs/uploads/?from=b%2Fc&mount=sha256%3A0", "push", "a", "b/c"),
        ("POST /v2/a/blobs/uploads/?mount=sha256:0&from=../../etc", "push", "a", ""),
        ("GET /v2/manifests/manifests/manifests/1", "pull", "manifests", ""),
        ("GET /v2/_catalog?n=100", "catalog", "", ""), ("GET /v2/", "login", "", ""),
    ],
)  # fmt: skip
def test_methods_and_addresses_are_actions(request_line: str, action: str, repository: str, mounted_from: str) -> None:
    asked = only(NGINX.replace("GET /v2/payments/api/manifests/1", request_line))
    assert (asked.action, asked.repository, asked.mounted_from) == (action, repository, mounted_from)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_what_the_registry_refused_is_counted_apart(status: int) -> None:
    sightings = seen_in(NGINX.replace(" 200 ", f" {status} "))
    assert (sightings.refused, sightings.requests) == (1, 0)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"\x00\xff\xfe\x80 binary \x1b[2J\n", b"{\n", b'{"msg": 5}\n', b'{"msg": "response completed"}\n', b"[" * 60_000,
        b'{"msg":' * 5000, b'time="x" level=info msg="response completed" http.response.status=abc\n', b'" "' * 20_000,
        b'x - y [27/Nov/2026:14:17:56 +0000] "' + b'GET ' * 10_000, b'] "' * 20_000,
        b'1 - - [99/Foo/2026:99:99:99 +9999] "GET /v2/a/manifests/1 HTTP/1.1" 200 1\n',
    ],
)  # fmt: skip
def test_what_cannot_be_read_breaks_nothing(line: bytes) -> None:
    seen_in(line)


def test_what_clients_send_cannot_pretend_to_be_another_line() -> None:
    """Distribution and nginx escape quotes; what stands between them is one value, whatever is in it."""
    evil = r"\"x\" http.request.uri=/v2/victim/app/manifests/1 auth.user.name=alice"
    text = lines_of("distribution-3-text.log")[-1].decode()
    forged = text.replace(r"evil \"agent\" \\ x", evil)
    mounted = next(
        line.decode() for line in lines_of("distribution-3-text.log") if b"mount=" in line and b"response" in line
    )
    said = read_line(mounted.replace("skopeo/1.9.3", f'"{evil}"').encode())
    assert isinstance(said, Answered)
    assert (said.request.username, said.request.repository) == (
        "payments-ci",
        MIXED if MIXED in mounted else "payments/web",
    )
    assert b"victim" not in repr(seen_in(forged).rows).encode()
    in_access = NGINX.replace("docker/28", r"] \"GET /v2/victim/app/manifests/1 HTTP/1.1\" 200 1")
    assert only(in_access).repository == "payments/api"


def test_names_with_escape_sequences_reach_no_terminal() -> None:
    said = read_line(
        b'time="2026-11-27T14:18:02Z" level=info msg=GetBlob auth.user.name="a\\x1b[31mb" http.request.id=7\n'
    )
    assert isinstance(said, Named)
    assert said.username == "a\ufffd[31mb"


def lines_of(name: str) -> list[bytes]:
    return (LOGS / name).read_bytes().splitlines(keepends=True)


def test_packed_logs_are_read_and_a_torn_one_to_where_it_is_torn() -> None:
    packed = gzip.compress(b"".join(lines_of("distribution-3-text.log")))
    whole, torn = LogFile(io.BytesIO(packed)), LogFile(io.BytesIO(packed[: len(packed) // 2]))
    assert len(list(whole)) == len(lines_of("distribution-3-text.log"))
    assert 0 < len(list(torn)) < 43
    assert not whole.ended_early
    assert "not whole" in torn.ended_early
    damaged = LogFile(io.BytesIO(packed[:40] + b"\0" * 40 + packed[80:]))
    list(damaged)
    assert damaged.ended_early


class Endless(io.RawIOBase):
    """Many bytes without keeping any."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def stream_of(pieces: Iterable[bytes]) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(Endless(pieces)))


def test_a_line_of_a_hundred_megabytes_is_passed_over_in_little_memory() -> None:
    def pieces() -> Iterator[bytes]:
        yield NGINX.encode()
        yield from (b"x" * (1 << 20) for _ in range(100))
        yield b"\n" + NGINX.encode()

    tracemalloc.start()
    file = LogFile(stream_of(pieces()))
    sightings = Sightings()
    sightings.read(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (sightings.requests, file.too_long) == (2, 1)
    assert peak < 8 << 20


def test_what_a_packed_file_unpacks_to_is_bounded() -> None:
    bomb = io.BytesIO(gzip.compress(NGINX.encode() * 200_000, 1))
    file = LogFile(bomb, max_bytes=4 << 20)
    assert sum(len(line) for line in file) <= 4 << 20
    assert "only the first 4 MiB" in file.ended_early


def test_a_log_of_countless_repositories_is_rolled_up_in_bounded_rows() -> None:
    sightings = Sightings()
    sightings.read(
        NGINX.replace("payments/api", f"r{number}").replace("10.1.2.3", f"10.0.{number % 250}.1").encode()
        for number in range(MAX_ROWS + 5_000)
    )
    assert len(sightings.rows) == MAX_ROWS
    assert sightings.left_out == 5_000
    assert sightings.requests == MAX_ROWS + 5_000


def test_a_line_as_long_as_the_bound_is_read_and_a_longer_one_is_not() -> None:
    fits, longer = b"a" * (MAX_LINE_BYTES - 1) + b"\n", b"b" * MAX_LINE_BYTES + b"\n"
    file = LogFile(io.BytesIO(fits + longer + b"end"))
    assert [len(line) for line in file] == [MAX_LINE_BYTES, 3]
    assert file.too_long == 1


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_break_the_reading(pieces: list[bytes]) -> None:
    sightings = seen_in(*pieces)
    assert sightings.lines == len(pieces)
    assert all(key.username is None or key.username.isprintable() for key in sightings.rows)


@given(st.data())
def test_a_real_line_with_a_wound_breaks_nothing(data: st.DataObject) -> None:
    line = data.draw(
        st.sampled_from([*lines_of("distribution-3-json.log"), *lines_of("distribution-2.8-text.log"), NGINX.encode()])
    )
    at = data.draw(st.integers(0, len(line)))
    cut = data.draw(st.integers(0, 30))
    seen_in(line[:at] + data.draw(st.binary(max_size=20)) + line[at + cut :])
