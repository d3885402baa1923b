"""A small registry in memory, over real HTTP, whose faults a test writes down beforehand."""

import json
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.serving import served

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    size: int = 0


@dataclass
class Answer:
    """What to send. `cut_at` closes the connection after so many bytes of the body, `is_silent` before any answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    is_silent: bool = False


Fault = Callable[[Answer], Answer]


@dataclass
class _Rule:
    method: str
    path: re.Pattern[str]
    fault: Fault
    times: int
    reads_body: bool


@dataclass
class ScriptedRegistry:
    """State, switches and script. `url` is set while it runs."""

    url: str = ""
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    has_referrers_api: bool = True
    can_delete_tags: bool = True
    mounts: bool = True
    sends_digest: bool = True
    serves_ranges: bool = True
    max_body: int | None = None
    fails_after: int | None = None
    token: str = ""
    challenge: str = ""
    page_size: int = 1000

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method: str, path: str, fault: Fault, *, times: int = 1, reads_body: bool = True) -> None:
        """The next `times` requests whose path contains `path` (a pattern) get what `fault` makes of the right answer.

        With `reads_body` off the fault comes before the request's body is taken in, and nothing is stored.
        """
        self._rules.append(_Rule(method, re.compile(path), fault, times, reads_body))

    def requests(self, method: str, path: str = "") -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method and re.search(path, seen.path)]

    def take_rule(self, method: str, path: str) -> _Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.times > 0 and rule.method == method and rule.path.search(path):
                    rule.times -= 1
                    return rule
        return None

    @contextmanager
    def running(self) -> Iterator["ScriptedRegistry"]:
        with served(_handler_for(self), _Server) as self.url:
            yield self


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of many tests; anything else is a fault of this file and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: ScriptedRegistry
    # Headers and body leave in one piece; two would wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def serve(self) -> None:
        rule = self.registry.take_rule(self.command, self.path)
        size = int(self.headers.get("Content-Length") or 0)
        self.registry.seen.append(Seen(self.command, self.path, dict(self.headers), size))
        if rule is not None and not rule.reads_body:
            self.close_connection = True
            return self._send(rule.fault(Answer()))
        body = self.rfile.read(size)
        answer = self._refusal(size) or self._answer(body)
        self._send(rule.fault(answer) if rule else answer)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        pass

    def _send(self, answer: Answer) -> None:
        if answer.is_silent:
            self.close_connection = True
            return
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.cut_at])
        self.wfile.flush()
        if answer.cut_at is not None:
            self.close_connection = True

    def _refusal(self, size: int) -> Answer | None:
        registry = self.registry
        if registry.token and self.headers.get("Authorization") != f"Bearer {registry.token}":
            return Answer(401, headers={"WWW-Authenticate": registry.challenge})
        if registry.max_body is not None and size > registry.max_body:
            return Answer(413)
        if registry.fails_after is not None and len(registry.seen) > registry.fails_after:
            return Answer(500)
        return None

    def _answer(self, body: bytes) -> Answer:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/v2/":
            return Answer(headers={"Docker-Distribution-Api-Version": "registry/2.0"})
        if path == "/v2/_catalog":
            return self._page("/v2/_catalog", "repositories", sorted(self.registry.tags), query)
        for pattern, method in _ROUTES:
            if match := re.fullmatch(pattern, path):
                answer: Answer = getattr(self, method)(*match.groups(), query, body)
                return answer
        return _error(404, "UNSUPPORTED")

    def _tags(self, repository: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if repository not in self.registry.tags:
            return _error(404, "NAME_UNKNOWN")
        names = sorted(self.registry.tags[repository])
        return self._page(f"/v2/{repository}/tags/list", "tags", names, query)

    def _page(self, path: str, key: str, names: list[str], query: dict[str, list[str]]) -> Answer:
        size = min(int(query.get("n", ["1000"])[0]), self.registry.page_size)
        rest = [name for name in names if name > query.get("last", [""])[0]]
        page, more = rest[:size], len(rest) > size
        link = f'<{path}?last={page[-1]}&n={size}>; rel="next"' if more else ""
        # As Distribution: no tags left is null, not an empty list.
        return _json(200, {key: page or None}, {"Link": link})

    def _manifest(self, repository: str, reference: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if self.command == "PUT":
            return self._put_manifest(repository, reference, body)
        if self.command == "DELETE":
            return self._delete_manifest(repository, reference)
        digest = self.registry.tags.get(repository, {}).get(reference, reference)
        if (repository, digest) not in self.registry.manifests:
            return _error(404, "MANIFEST_UNKNOWN")
        raw, media_type = self.registry.manifests[repository, digest]
        return Answer(200, raw, {"Content-Type": media_type, **self._digest(digest)})

    def _put_manifest(self, repository: str, reference: str, body: bytes) -> Answer:
        document = json.loads(body)
        wanted = [document[key] for key in ("config",) if key in document] + document.get("layers", [])
        if any((repository, w["digest"]) not in self.registry.blobs for w in wanted if not w.get("urls")):
            return _error(400, "MANIFEST_BLOB_UNKNOWN")
        if any((repository, child["digest"]) not in self.registry.manifests for child in document.get("manifests", [])):
            return _error(400, "MANIFEST_BLOB_UNKNOWN")
        digest = _sha(body)
        self.registry.manifests[repository, digest] = body, self.headers["Content-Type"]
        if not reference.startswith("sha256:"):
            self.registry.tags.setdefault(repository, {})[reference] = digest
        handled = self.registry.has_referrers_api and "subject" in document
        return Answer(
            201, headers={"OCI-Subject": document["subject"]["digest"] if handled else "", **self._digest(digest)}
        )

    def _delete_manifest(self, repository: str, reference: str) -> Answer:
        tags = self.registry.tags.get(repository, {})
        if not reference.startswith("sha256:"):
            if not self.registry.can_delete_tags:
                return _error(400, "DIGEST_INVALID")
            return Answer(202) if tags.pop(reference, None) else _error(404, "MANIFEST_UNKNOWN")
        if self.registry.manifests.pop((repository, reference), None) is None:
            return _error(404, "MANIFEST_UNKNOWN")
        for tag in [tag for tag, digest in tags.items() if digest == reference]:
            del tags[tag]
        return Answer(202)

    def _blob(self, repository: str, digest: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if self.command == "DELETE":
            return Answer(202 if self.registry.blobs.pop((repository, digest), None) is not None else 404)
        if (repository, digest) not in self.registry.blobs:
            return _error(404, "BLOB_UNKNOWN")
        data = self.registry.blobs[repository, digest]
        offset = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if offset is None or not self.registry.serves_ranges:
            return Answer(200, data, self._digest(digest))
        start = int(offset[1])
        return Answer(206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})

    def _start(self, repository: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if "mount" in query:
            held = self.registry.blobs.get((query["from"][0], query["mount"][0]))
            if self.registry.mounts and held is not None:
                self.registry.blobs[repository, query["mount"][0]] = held
                return Answer(201)
        session = uuid.uuid4().hex
        self.registry.uploads[session] = b""
        return self._session(repository, session)

    def _upload(self, repository: str, session: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if session not in self.registry.uploads:
            return _error(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "DELETE":
            del self.registry.uploads[session]
            return Answer(204)
        self.registry.uploads[session] += body
        if self.command == "PATCH":
            return self._session(repository, session)
        data, digest = self.registry.uploads.pop(session), query["digest"][0]
        if _sha(data) != digest:
            return _error(400, "DIGEST_INVALID")
        self.registry.blobs[repository, digest] = data
        return Answer(201, headers=self._digest(digest))

    def _session(self, repository: str, session: str) -> Answer:
        end = max(len(self.registry.uploads[session]) - 1, 0)
        return Answer(202, headers={"Location": f"/v2/{repository}/blobs/uploads/{session}?x=1", "Range": f"0-{end}"})

    def _referrers(self, repository: str, digest: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if not self.registry.has_referrers_api:
            return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        found = [
            {"mediaType": kind, "digest": name, "size": len(raw)}
            for (held, name), (raw, kind) in self.registry.manifests.items()
            if held == repository and json.loads(raw).get("subject", {}).get("digest") == digest
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        return _json(200, index, {"Content-Type": OCI_INDEX})

    def _digest(self, digest: str) -> dict[str, str]:
        return {"Docker-Content-Digest": digest} if self.registry.sends_digest else {}


_NAME = r"/v2/(.+)"
_ROUTES = (
    (rf"{_NAME}/tags/list", "_tags"),
    (rf"{_NAME}/manifests/([^/]+)", "_manifest"),
    (rf"{_NAME}/blobs/uploads/", "_start"),
    (rf"{_NAME}/blobs/uploads/([^/]+)", "_upload"),
    (rf"{_NAME}/blobs/([^/]+)", "_blob"),
    (rf"{_NAME}/referrers/([^/]+)", "_referrers"),
)

for _verb in ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_verb}", _Handler.serve)


def _handler_for(registry: ScriptedRegistry) -> type[_Handler]:
    return type("Handler", (_Handler,), {"registry": registry})


def _sha(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def _json(status: int, document: object, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})


def _error(status: int, code: str) -> Answer:
    return _json(status, {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]})
