"""What does a client ask of the token endpoint, and with which credential? (Docker token specification; oauth.md for POST.)"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from gunicorn.http.errors import ParseException

from registries.oci.scope import ParsedScopes, parse_scopes

MAX_BODY_BYTES: Final = 64 * 1024
MAX_USERNAME: Final = 255


class BadTokenRequestError(Exception):
    """A request that cannot be answered with a token: HTTP status, machine word of oauth.md, sentence."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


@dataclass(frozen=True)
class Sent:
    """A user name and secret as they came."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class TokenRequest:
    """``sent`` is None for a stranger. The ``account`` parameter is nobody's identity and is not even read."""

    service: str
    scopes: ParsedScopes
    sent: Sent | None
    is_post: bool


def read_token_request(request: HttpRequest) -> TokenRequest:
    """Raises BadTokenRequestError."""
    if request.method == "POST":
        return _posted(_form(request))
    sent = _basic(request.META.get("HTTP_AUTHORIZATION", ""))
    query = request.GET
    return TokenRequest(_service(query), parse_scopes(query.getlist("scope")), sent, is_post=False)


def _posted(form: QueryDict) -> TokenRequest:
    grant = form.get("grant_type", "")
    if grant == "refresh_token":
        # We issue none. On 401 containerd and BuildKit fall back to GET; 400 would end BuildKit's try.
        raise BadTokenRequestError(401, "unsupported_grant_type", "Refresh tokens are not used here; log in again.")
    if grant != "password":
        message = "grant_type must be password; GET with Basic authentication works as well."
        raise BadTokenRequestError(400, "unsupported_grant_type", message)
    sent = Sent(form.get("username", "")[:MAX_USERNAME], form.get("password", ""))
    return TokenRequest(_service(form), parse_scopes(form.getlist("scope")), sent, is_post=True)


def _service(values: Mapping[str, Any]) -> str:
    service: str = values.get("service", "")
    if not service:
        raise BadTokenRequestError(
            400, "invalid_request", "The parameter service is missing; the registry's challenge names it."
        )
    return service


def _form(request: HttpRequest) -> QueryDict:
    if request.content_type not in ("application/x-www-form-urlencoded", ""):
        raise BadTokenRequestError(400, "invalid_request", "Send the form as application/x-www-form-urlencoded.")
    body = _body(request)
    if len(body) > MAX_BODY_BYTES:
        raise BadTokenRequestError(413, "invalid_request", "The request is larger than any that asks for a token.")
    try:
        return QueryDict(body.decode(), encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadTokenRequestError(400, "invalid_request", "The form is no UTF-8 text.") from error
    except TooManyFieldsSent as error:
        raise BadTokenRequestError(
            400, "invalid_request", "The form has more fields than any that asks for a token."
        ) from error


def _body(request: HttpRequest) -> bytes:
    """skopeo and podman send forms in chunks, without a length. Django then sees no body; the server has it, and says where it ends."""
    length = request.META.get("CONTENT_LENGTH")
    if length:
        size = int(length) if length.isdecimal() else 0
        stream = request.META["wsgi.input"] if size <= MAX_BODY_BYTES else None
        return _read(stream, size) if stream is not None else b" " * (MAX_BODY_BYTES + 1)
    if request.META.get("wsgi.input_terminated"):
        return _read(request.META["wsgi.input"], MAX_BODY_BYTES + 1)
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise BadTokenRequestError(411, "invalid_request", "This server takes no chunked bodies; send Content-Length.")
    return b""


def _read(stream: Any, size: int) -> bytes:
    """As much as there is. The server's stream raises where chunks are none, or where the line is cut."""
    found = b""
    try:
        while len(found) < size and (part := stream.read(size - len(found))):
            found += part
    except (OSError, ParseException) as error:
        raise BadTokenRequestError(400, "invalid_request", "The form did not arrive whole.") from error
    return found


def _basic(header: str) -> Sent | None:
    """The credential of the header, None without one. What cannot be read counts as wrong, never as none."""
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return Sent("", "")
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return Sent("", "")
    username, colon, secret = text.partition(":")
    if not colon:
        return Sent("", "")
    # Some clients send an empty name and an empty secret for "nobody".
    return Sent(username[:MAX_USERNAME], secret) if username or secret else None
