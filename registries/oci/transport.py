"""How does one HTTP request reach a registry? Connections, timeouts, credentials, redirects, retries; no verbs."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from registries.oci.answers import error_for, is_html
from registries.oci.auth import Auth
from registries.oci.backoff import Backoff
from registries.oci.challenge import Challenge, parse_challenge
from registries.oci.errors import Dropped, NotARegistry, RegistryError, TooLarge
from registries.oci.failures import READ_FAILURES, error_of_read, error_of_request
from registries.oci.origin import is_same_origin, joined, may_follow
from registries.oci.scope import Scope
from registries.oci.sizes import MIB, spell

MAX_REDIRECTS = 5
MAX_ERROR_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def default_user_agent() -> str:
    try:
        return f"Portreeve/{version('portreeve')}"
    except PackageNotFoundError:
        return "Portreeve/0"


@dataclass(frozen=True)
class TransportOptions:
    """Times in seconds. `read_timeout` is between two arrivals of bytes, never for a whole body.

    `upload_timeout` is the wait for the answer to a finished blob: registries on object storage move
    or hash it first.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    upload_timeout: float = 900.0
    verify_tls: bool = True
    ca_bundle: str | None = None
    connections: int = 32
    backoff: Backoff = field(default_factory=Backoff)
    user_agent: str = field(default_factory=default_user_agent)
    follows_redirects: bool = True

    @property
    def verify(self) -> bool | str:
        return (self.ca_bundle or True) if self.verify_tls else False


class Body(Protocol):
    """A request body that is streamed. `sent` counts the bytes read from it so far."""

    sent: int

    def __len__(self) -> int: ...

    def read(self, size: int = -1) -> bytes: ...

    def rewind(self) -> None: ...


@dataclass(frozen=True)
class Request:
    """`about` names the thing in sentences; `ok` are the statuses to return; `limit` bounds the answer's body."""

    method: str
    url: str
    about: str
    scopes: tuple[Scope, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = field(default=None, repr=False)
    ok: frozenset[int] = frozenset({200})
    limit: int = MIB
    read_timeout: float | None = None


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    url: str
    body: bytes = field(repr=False)

    def json(self, who: str, about: str) -> Any:
        """The body as JSON; raises NotARegistry when it is a web page or no JSON."""
        if is_html(self.headers, self.body):
            raise NotARegistry(f"{who}: {about}: a web page answered; is this the address of a registry?")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NotARegistry(f"{who}: {about}: the answer is not JSON") from error


class _BlockAdapter(HTTPAdapter):
    """Streams request bodies in 1 MiB blocks; the library's 16 KiB cost twice the processor time."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, blocksize=MIB, **pool)


class Transport:
    """Thread-safe: credentials go with each request, no cookie is kept, the environment is not read."""

    def __init__(self, base_url: str, auth: Auth, *, label: str = "", options: TransportOptions | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.label = f"{label} at {self.base_url}" if label else self.base_url
        self.options = options or TransportOptions()
        self._auth = auth
        self._adapter = _BlockAdapter(pool_connections=8, pool_maxsize=self.options.connections)

    def send(self, request: Request) -> Reply:
        """Send and read the whole answer; tried again when that may help, unless the body is a stream."""
        if request.body is None or isinstance(request.body, bytes):
            return self.options.backoff.call(lambda: self.send_once(request))
        return self.send_once(request)

    def open(self, request: Request) -> requests.Response:
        """Send and leave the answer's body to the caller, who closes it. Tried again until it is open."""
        return self.options.backoff.call(lambda: self._opened(request))

    def close(self) -> None:
        self._adapter.close()

    def send_once(self, request: Request) -> Reply:
        with self._opened(request) as response:
            body = self._read(request, response, request.limit + 1)
            if len(body) > request.limit:
                raise TooLarge(f"{self.label}: {request.about}: the answer is larger than {spell(request.limit)}")
            return Reply(response.status_code, response.headers, response.url, body)

    def _opened(self, request: Request) -> requests.Response:
        response = self._authorised(request)
        if response.status_code in request.ok:
            return response
        with response:
            body = self._read(request, response, MAX_ERROR_BYTES)
            raise error_for(self.label, request.about, response.status_code, response.headers, body)

    def _authorised(self, request: Request) -> requests.Response:
        held = self._auth.authorization(request.scopes, None)
        response = self._followed(request, held)
        if response.status_code != 401 or not is_same_origin(response.url, self.base_url):
            return response
        challenge = self._challenge(response)
        # zot refuses a stale token without a challenge, so having sent one is reason enough to ask for another.
        better = self._auth.authorization(request.scopes, challenge, held) if challenge or held else None
        if better is None or better == held:
            return response
        self._drain(response)
        if request.body is not None and not isinstance(request.body, bytes):
            request.body.rewind()
        return self._followed(request, better)

    def _challenge(self, response: requests.Response) -> Challenge | None:
        found = parse_challenge(response.headers.get("WWW-Authenticate", ""), self.base_url)
        ranked = {"bearer": 0, "basic": 1}
        known = sorted((c for c in found if c.scheme in ranked), key=lambda c: ranked[c.scheme])
        return known[0] if known else None

    def _followed(self, request: Request, authorization: str | None) -> requests.Response:
        """Redirects by hand: the credential stays with the host it was made for."""
        for _ in range(MAX_REDIRECTS + 1):
            mine = authorization if is_same_origin(request.url, self.base_url) else None
            response = self._perform(request, mine)
            target = response.headers.get("Location", "")
            is_followed = self.options.follows_redirects and request.method in ("GET", "HEAD")
            if response.status_code not in _REDIRECTS or not is_followed or not target:
                return response
            self._drain(response)
            request = replace(request, url=self.resolve(request, target))
        raise NotARegistry(f"{self.label}: {request.about}: more than {MAX_REDIRECTS} redirects")

    def resolve(self, request: Request, location: str) -> str:
        """A Location as an address we are willing to go to; raises RegistryError."""
        there = joined(request.url, location)
        # Behind a proxy that ends TLS, registries often write http for themselves.
        if request.url.startswith("https:") and there.startswith("http:"):
            secured = "https:" + there.removeprefix("http:")
            there = secured if is_same_origin(secured, request.url) else there
        if not may_follow(request.url, there):
            raise RegistryError(f"{self.label}: {request.about}: it sends us to {there[:200]}, where we do not go")
        return there

    def _perform(self, request: Request, authorization: str | None) -> requests.Response:
        headers = {"User-Agent": self.options.user_agent, "Accept-Encoding": "identity", **request.headers}
        if authorization:
            headers["Authorization"] = authorization
        try:
            prepared = requests.Request(request.method, request.url, headers=headers, data=request.body).prepare()
            # The adapter alone: a session would add cookies, the environment's proxies and .netrc, and redirects.
            return self._adapter.send(
                prepared,
                stream=True,
                timeout=(self.options.connect_timeout, request.read_timeout or self.options.read_timeout),
                verify=self.options.verify,
                proxies={},
            )
        except (requests.RequestException, *READ_FAILURES) as failure:
            raise self._broken(request, failure) from failure

    def _broken(self, request: Request, failure: Exception) -> RegistryError:
        error = error_of_request(self.label, request.about, failure)
        if isinstance(error, Dropped) and request.body is not None and not isinstance(request.body, bytes):
            done = f"{spell(request.body.sent)} of {spell(len(request.body))}"
            return Dropped(
                f"{self.label}: the connection was cut after {done} of {request.about}; the copy can be run again"
            )
        return error

    def _read(self, request: Request, response: requests.Response, limit: int) -> bytes:
        try:
            return response.raw.read(limit, decode_content=True) or b""
        except READ_FAILURES as failure:
            raise error_of_read(self.label, request.about, failure) from failure

    def _drain(self, response: requests.Response) -> None:
        """A connection whose answer was read to its end can be used again."""
        with contextlib.suppress(*READ_FAILURES):
            response.raw.read(MAX_ERROR_BYTES)
        response.close()
