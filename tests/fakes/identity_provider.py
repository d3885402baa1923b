"""A real identity provider of people on loopback: discovery, a login page, codes with PKCE, signed tokens, userinfo; and every way to lie."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import jwt

from tests.fakes.issuer import Key, new_key, published

Answer = tuple[int, str, bytes, str]
_KEY = new_key()  # slow to make, and nothing here depends on its being new


@dataclass
class Code:
    """What a code stands for until it is redeemed, once."""

    name: str
    redirect_uri: str
    nonce: str
    challenge: str


@dataclass
class FakeProvider:
    """``people`` are claims by name. ``here`` is whoever has a session there, else its login page asks.

    Lies: ``claims`` are laid over those of the identity token (None takes one away), ``header`` over its header, ``key`` signs in
    place of the published one, ``token_text`` is sent instead of a token, ``userinfo`` is laid over what that tells, ``discovery``
    over that document, ``said`` is the answer to a path in place of the true one, ``waits`` are seconds before one."""

    url: str
    client_id: str = "portreeve"
    client_secret: str = "s3cret:with/colon"
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    here: str = ""
    in_token: bool = True  # whether the token says it all, or userinfo does
    takes: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    keys: dict[str, Key] = field(default_factory=lambda: {"first": _KEY})
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    algorithm: str = "RS256"
    token_text: str = ""
    userinfo: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Answer] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    drips: set[str] = field(default_factory=set)

    def knows(self, name: str, *, groups: Any = None, **claims: Any) -> None:
        """Somebody who can sign in there; who was known before is known anew. A claim that is None is not made."""
        told = {
            "sub": f"{name}-at-work",
            "preferred_username": name,
            "email": f"{name}@corp.example",
            "email_verified": True,
            "given_name": name.capitalize(),
            "family_name": "Example",
            "groups": groups,
            **claims,
        }
        self.people[name] = _without_nothing(told)

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: Any) -> Answer:
        self.asked.append(path)
        time.sleep(self.waits.get(path, 0))
        if path in self.said:
            return self.said[path]
        places: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): lambda: _json(self._discovered()),
            ("GET", "/keys"): lambda: _json({"keys": [published(kid, key) for kid, key in self.keys.items()]}),
            ("GET", "/favicon.ico"): lambda: (204, "image/png", b"", ""),
            ("GET", "/authorize"): lambda: self._authorize(query),
            ("POST", "/token"): lambda: self._token(form, headers),
            ("GET", "/userinfo"): lambda: self._userinfo(headers),
        }
        place = places.get((method, path))
        return place() if place else (404, "text/plain", b"", "")

    def _discovered(self) -> dict[str, Any]:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": list(self.takes),
        }
        return _without_nothing({**document, **self.discovery})

    def _authorize(self, query: dict[str, str]) -> Answer:
        wanted = {"client_id": self.client_id, "response_type": "code", "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if query.get(name) != value]
        if wrong or "openid" not in query.get("scope", "").split():
            return 400, "text/plain", f"bad request: {wrong}".encode(), ""
        name = query.pop("as", self.here)
        if not name:
            links = "".join(
                f'<p><a href="/authorize?{html.escape(urlencode({**query, "as": who}))}">Sign in as {who}</a></p>'
                for who in [*self.people, "nobody"]
            )
            return 200, "text/html", f"<!DOCTYPE html><title>Provider</title><h1>Provider</h1>{links}".encode(), ""
        back = {"state": query.get("state", "")}
        if name not in self.people:
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = Code(
                name, query["redirect_uri"], query.get("nonce", ""), query.get("code_challenge", "")
            )
        return 302, "text/plain", b"", f"{query['redirect_uri']}?{urlencode(back)}"

    def _token(self, form: dict[str, str], headers: Any) -> Answer:
        if not self._is_client(form, headers.get("Authorization", "")):
            return _json({"error": "invalid_client"}, 401)
        code = self.codes.pop(form.get("code", ""), None)
        proof = _encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if code is None or (code.redirect_uri, code.challenge) != (form.get("redirect_uri"), proof):
            return _json({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(16)
        self.access[access] = code.name
        return _json(
            {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": self._signed(code)}
        )

    def _is_client(self, form: dict[str, str], header: str) -> bool:
        scheme, _, pair = header.partition(" ")
        if scheme == "Basic" and "client_secret_basic" in self.takes:
            user, _, secret = base64.b64decode(pair).decode().partition(":")
            return (unquote(user), unquote(secret)) == (self.client_id, self.client_secret)
        is_in_form = (form.get("client_id"), form.get("client_secret")) == (self.client_id, self.client_secret)
        return is_in_form and "client_secret_post" in self.takes

    def _signed(self, code: Code) -> str:
        if self.token_text:
            return self.token_text
        now, told = int(time.time()), self.people[code.name]
        claims = {
            "iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": code.nonce,
            **(told if self.in_token else {"sub": told["sub"]}), **self.claims,
        }  # fmt: skip
        kid = next(iter(self.keys))
        header = _without_nothing({"alg": self.algorithm, "typ": "JWT", "kid": kid, **self.header})
        return _sign(header, _without_nothing(claims), self.key if self.key is not None else self.keys[kid])

    def _userinfo(self, headers: Any) -> Answer:
        name = self.access.get(headers.get("Authorization", "").removeprefix("Bearer "))
        if name is None:
            return _json({"error": "invalid_token"}, 401)
        return _json({**self.people[name], **self.userinfo})


class _Handler(BaseHTTPRequestHandler):
    provider: FakeProvider

    def do_GET(self) -> None:
        self._reply("GET", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._reply("POST", dict(parse_qsl(body)))

    def _reply(self, method: str, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        status, content_type, body, location = self.provider.answer(method, parts.path, query, form, self.headers)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        try:
            self._write(body, parts.path)
        except OSError:
            """The portal has hung up, as it should on somebody who drips."""

    def _write(self, body: bytes, path: str) -> None:
        for place in range(len(body)) if path in self.provider.drips else ():
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            time.sleep(0.05)
        if path not in self.provider.drips:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests read ``asked``."""


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    """Runs until the block ends."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.provider = FakeProvider(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield handler.provider  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _sign(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    """By hand: no library would sign all that we want to have refused."""
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    algorithm = jwt.algorithms.get_default_algorithms()[header["alg"]]
    signature = algorithm.sign(signed, algorithm.prepare_key(key)) if header["alg"] != "none" else b""
    return b".".join((signed, _encoded(signature))).decode()


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def _without_nothing(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _json(body: Any, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(body).encode(), ""
