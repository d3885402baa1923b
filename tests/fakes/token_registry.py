"""A registry's front door over real HTTP: it checks bearer tokens by the keys it read when it was started last, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from cryptography import x509

from registries.access.signing.key_material import libtrust_id
from tests.fakes.serving import served


@dataclass
class TokenRegistry:
    """``answer``, where it is set, gives the status whatever the token is. ``seen`` are the Authorization headers that came."""

    service: str = ""
    issuer: str = "127.0.0.1:8000"
    url: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    answer: Callable[[str], int] | None = None
    location: str = ""
    seen: list[str] = field(default_factory=list)

    def restart(self, bundle: str) -> None:
        """Read the keys anew."""
        certificates = x509.load_pem_x509_certificates(bundle.encode())
        self.keys = {libtrust_id(one.public_key()): one.public_key() for one in certificates}  # type: ignore[arg-type]

    def status(self, header: str) -> int:
        if self.answer is not None:
            return self.answer(header)
        try:
            token = header.removeprefix("Bearer ")
            key = self.keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, algorithms=["ES256", "RS256"], audience=self.service, issuer=self.issuer)
        except (jwt.InvalidTokenError, KeyError):
            return 401
        return 200

    @contextmanager
    def running(self) -> Iterator["TokenRegistry"]:
        with served(_handler_for(self)) as self.url:
            yield self


def _handler_for(registry: TokenRegistry) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            header = self.headers.get("Authorization", "")
            registry.seen.append(header)
            status = registry.status(header)
            self.send_response(status)
            if status == 401:
                self.send_header(
                    "WWW-Authenticate", f'Bearer realm="http://127.0.0.1:9/token",service="{registry.service}"'
                )
            if registry.location:
                self.send_header("Location", registry.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
            pass

    return Door
