"""Pure: what does one line of a registry's log say?

Read are: the log of CNCF Distribution 2.8 and 3 as text or JSON, its access log on standard output, the combined log of a proxy in
front; each also as Docker or Kubernetes keep them. Distribution 2.8 names the user in lines of failed requests alone, and at level
debug in lines about the same request that come before the one which counts; version 3 names the user in every line."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote

from registries.oci.reference import is_repository

MAX_NAME: Final = 255
Source = Literal["application", "access"]
_REFUSED: Final = frozenset({400, 401, 403})

_PAIR: Final = re.compile(r'([a-zA-Z][a-zA-Z0-9._-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ASKED: Final = re.compile(
    r' \[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\] "([A-Z]+) ([^\s"]+)(?: [^"]*)?" (\d{3})(?=\s|$)',
    re.ASCII,
)
_ROUTE: Final = re.compile(r"/v2/(?P<name>.+?)/(?P<what>manifests|blobs|tags|referrers)(?:/(?P<rest>.*))?")
_FAILED_LOGIN: Final = re.compile(r'error authenticating user "((?:[^"\\]|\\.)*)": ')


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the registry answered and did not refuse. ``username`` is None where the line names nobody; ``mounted_from``
    is the repository a blob is mounted from. ``action`` is pull, push, delete, catalog or login."""

    source: Source
    username: str | None
    address: str
    action: str
    repository: str
    at: datetime | None
    mounted_from: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The request of this id was made by that user: seen before its answer."""

    request_id: str
    username: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with the id by which earlier lines spoke of it."""

    request_id: str
    request: Request


@dataclass(frozen=True, slots=True)
class Authorized:
    """Somebody was let in, so the registry does ask for logins."""


@dataclass(frozen=True, slots=True)
class WrongLogin:
    """A user name that was shown with a wrong password; such a name may be anybody's."""

    username: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The registry itself has refused it: a challenge, a wrong password, a malformed request."""


@dataclass(frozen=True, slots=True)
class Other:
    """A line that is understood and says nothing about a request to a repository."""


Said = Request | Named | Answered | Authorized | WrongLogin | Refused | Other


def read_line(line: bytes) -> Said | None:
    """None for what is not understood."""
    text = _unwrapped(line.decode("utf-8", "replace").rstrip("\r\n"))
    if not text.strip():
        return Other()
    # Quotes within the lines below are escaped, so nothing that a client sends makes one of them look like this.
    asked = _ASKED.search(text) if '] "' in text else None
    if asked is not None:
        return _of_access(text[: asked.start()], asked)
    start = text.find("{")
    if start >= 0 and '"msg"' in text:
        fields = _json(text[start:])
        return _of_application(fields) if fields is not None else None
    if "level=" in text and "msg=" in text:
        return _of_application({key: _plain(value) for key, value in _PAIR.findall(text)})
    return None


def _unwrapped(text: str) -> str:
    """The line within a line of Docker's json-file."""
    if text.startswith('{"log":'):
        outer = _json(text)
        inner = outer.get("log") if outer else None
        return inner.rstrip("\r\n") if isinstance(inner, str) else text
    return text


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: str) -> str:
    """A value as it was before it was put between quotes."""
    return _ESCAPE.sub(_unescaped, value[1:-1]) if value.startswith('"') else value


def _unescaped(match: re.Match[str]) -> str:
    byte, unit, plain = match.groups()
    return chr(int(byte or unit, 16)) if byte or unit else {"n": "\n", "t": "\t", "r": "\r"}.get(plain, plain)


def _of_application(fields: dict[str, Any]) -> Said | None:
    message = str(fields.get("msg", ""))
    if message == "authorized request":
        return Authorized()
    wrong = _wrong_login(message, fields)
    if wrong is not None:
        return wrong
    request_id, username = str(fields.get("http.request.id", ""))[:64], _name(fields.get("auth.user.name"))
    if not message.startswith("response completed"):
        return Named(request_id, username) if request_id and username else Other()
    status = _number(fields.get("http.response.status"))
    method, uri = fields.get("http.request.method"), fields.get("http.request.uri")
    if status is None or not isinstance(method, str) or not isinstance(uri, str):
        return None
    address = _address(str(fields.get("http.request.remoteaddr", "")))
    said = _request("application", username, address, method, uri, status, _iso(str(fields.get("time", ""))))
    return Answered(request_id, said) if isinstance(said, Request) else said


def _wrong_login(message: str, fields: dict[str, Any]) -> WrongLogin | None:
    """In the words of 2.8, then of 3."""
    match = _FAILED_LOGIN.match(message)
    username = _plain(f'"{match[1]}"') if match else fields.get("username")
    is_one = match is not None or message == "user failed to authenticate"
    name = _name(username) if is_one else None
    return WrongLogin(name) if name else None


def _of_access(head: str, asked: re.Match[str]) -> Said | None:
    """``head`` is what stands before the time: address, dash, user; before them whatever a collector of logs has added."""
    before, dash, user = head.partition(" - ")
    if not dash or not before.strip():
        return None
    address, (moment, method, uri, status) = before.split()[-1], asked.groups()
    username = None if user == "-" else _name(_proxy_plain(user))
    return _request("access", username, _address(address), method, uri, int(status), _apache(moment))


def _proxy_plain(user: str) -> str:
    r"""nginx writes bytes outside ASCII as \xC3\xA4."""
    if "\\x" not in user:
        return user
    raw = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), user.encode())
    return raw.decode("utf-8", "replace")


def _request(
    source: Source, username: str | None, address: str, method: str, uri: str, status: int, at: datetime | None
) -> Said | None:
    if status in _REFUSED:
        return Refused()
    path, _, query = uri.partition("?")
    if path in ("/v2/", "/v2"):
        return Request(source, username, address, "login", "", at) if username else Other()
    if path.startswith("/v2/_catalog"):
        return Request(source, username, address, "catalog", "", at)
    match = _ROUTE.fullmatch(path)
    if match is None:
        return Other()
    repository, action = unquote(match["name"]), _action(method)
    if not action or not is_repository(repository):
        return Other()
    mounted_from = _mounted_from(query) if action == "push" and "mount=" in query else ""
    return Request(source, username, address, action, repository, at, mounted_from)


def _action(method: str) -> str:
    """What the registry will ask of a token for it."""
    if method in ("GET", "HEAD"):
        return "pull"
    return {"POST": "push", "PUT": "push", "PATCH": "push", "DELETE": "delete"}.get(method, "")


def _mounted_from(query: str) -> str:
    try:
        source = parse_qs(query, max_num_fields=20).get("from", [""])[0]
    except ValueError:
        return ""
    return source if is_repository(source) else ""


def _name(value: object) -> str | None:
    """A user name without what could upset a terminal; None where there is none."""
    if not isinstance(value, str) or not value:
        return None
    return "".join(character if character.isprintable() else "\ufffd" for character in value[:MAX_NAME])


def _address(text: str) -> str:
    """Without the port: ``127.0.0.1:5000`` and ``[::1]:5000`` too."""
    host, colon, port = text.rpartition(":")
    bare = host if colon and port.isdecimal() and (host.startswith("[") or ":" not in host) else text
    return bare.strip("[]")[:64] if bare.isprintable() else ""


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if len(text) == 3 and text.isdecimal() and text.isascii() else None


@lru_cache(maxsize=1024)
def _iso(text: str) -> datetime | None:
    """To the second: fractions of Go have nine digits."""
    match = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text, re.ASCII)
    zone = re.search(r"(Z|[+-]\d\d:\d\d)$", text, re.ASCII)
    if match is None or zone is None:
        return None
    try:
        return datetime.fromisoformat(match[0] + zone[0].replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _apache(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
