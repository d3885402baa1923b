"""A real issuer of identity tokens on loopback: discovery and keys over HTTP, keys that rotate, and every way to be broken."""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

Key = rsa.RSAPrivateKey


def new_key(bits: int = 2048) -> Key:
    return rsa.generate_private_key(65537, bits)


def published(kid: str, key: Key) -> dict[str, str]:
    """The public half of a key, as a member of a JWKS."""
    numbers = key.public_key().public_numbers()
    members = {name: _number(value) for name, value in (("n", numbers.n), ("e", numbers.e))}
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, **members}


@dataclass
class FakeIssuer:
    """``said`` holds the answer to a path in place of the true one: status, content type, body, header Location."""

    url: str
    keys: dict[str, Key] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    said: dict[str, tuple[int, str, bytes, str]] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)

    def rotate(self, kid: str) -> None:
        """One key, of that name; those before it are gone."""
        self.keys = {kid: new_key()}

    def claims(self, audience: Any, **changes: Any) -> dict[str, Any]:
        """Of a job of GitHub Actions; a claim changed to None is left out."""
        now = int(time.time())
        told: dict[str, Any] = {
            "iss": self.url,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
            "sub": "repo:acme@77/payments@1234:ref:refs/heads/main",
            "repository": "acme/payments",
            "repository_id": "1234",
            "repository_owner_id": "77",
            "ref": "refs/heads/main",
            "event_name": "push",
            "actor": "alice",
            "run_id": "9001",
            "sha": "9f2c",
            **changes,
        }
        return {name: value for name, value in told.items() if value is not None}

    def token(self, audience: Any, *, kid: str = "", key: Key | None = None, **changes: Any) -> str:
        kid = kid or next(iter(self.keys))
        signer = key or self.keys[kid]
        return jwt.encode(self.claims(audience, **changes), signer, "RS256", headers={"kid": kid})

    def answer(self, path: str) -> tuple[int, str, bytes, str]:
        self.asked.append(path)
        if path in self.said:
            return self.said[path]
        if path == "/.well-known/openid-configuration":
            return _json({"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery})
        if path == "/keys":
            return _json({"keys": [published(kid, key) for kid, key in self.keys.items()]})
        return 404, "text/plain", b"", ""


@contextmanager
def fake_issuer() -> Iterator[FakeIssuer]:
    """Runs until the block ends; has the key ``first``."""
    found: list[FakeIssuer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body, location = found[0].answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Tests read ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.append(FakeIssuer(f"http://127.0.0.1:{server.server_port}", {"first": new_key()}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _json(body: Any) -> tuple[int, str, bytes, str]:
    return 200, "application/json", json.dumps(body).encode(), ""


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
