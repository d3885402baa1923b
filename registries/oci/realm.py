"""Fetching a token from the realm that a registry names (Docker token specification, "Requesting a Token")."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError

from registries.oci.backoff import Backoff
from registries.oci.challenge import Challenge
from registries.oci.errors import NotARegistry, RateLimited, RegistryError, ServerError, Unauthorized, Unreachable
from registries.oci.origin import host_of, is_same_origin
from registries.oci.scope import Scope
from registries.oci.tokens import MintedToken

DEFAULT_LIFE_SECONDS = 60
MAX_ANSWER_BYTES = 1024 * 1024

# Registries whose token server is known to live at another name.
KNOWN_REALMS: Mapping[str, str] = {
    "registry-1.docker.io": "auth.docker.io",
    "index.docker.io": "auth.docker.io",
    "registry.gitlab.com": "gitlab.com",
}


@dataclass(frozen=True)
class Realm:
    """How to ask token servers: with which credential, and which hosts may see it."""

    credential: tuple[str, str] | None = field(default=None, repr=False)
    trusted_hosts: frozenset[str] = frozenset()
    verify: bool | str = True
    timeout: tuple[float, float] = (10.0, 30.0)
    backoff: Backoff = field(default_factory=lambda: Backoff(retries=2))
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def fetch(self, challenge: Challenge, scopes: tuple[Scope, ...]) -> MintedToken:
        url = self._checked(challenge)
        params = [("scope", str(scope)) for scope in scopes]
        if challenge.params.get("service"):
            params.insert(0, ("service", challenge.params["service"]))
        if self.credential:
            params.append(("account", self.credential[0]))
        return self.backoff.call(lambda: self._ask(url, params))

    def _checked(self, challenge: Challenge) -> str:
        """A registry must not be able to send our credential wherever it likes."""
        url, origin = challenge.params.get("realm", ""), challenge.origin
        host = host_of(url)
        if not host:
            raise NotARegistry(f"{origin}: names no usable token server (realm {url[:100]!r})")
        if host in self.trusted_hosts:
            return url
        if origin.startswith("https:") and not url.startswith("https:"):
            raise Unauthorized(f"{origin}: names a token server without TLS ({host}); no credential is sent there")
        if is_same_origin(url, origin) or KNOWN_REALMS.get(host_of(origin)) == host:
            return url
        raise Unauthorized(
            f"{origin}: sends us to the token server {host}, which is not trusted for this registry; "
            "if it is the right one, add it to the trusted realm hosts"
        )

    def _ask(self, url: str, params: list[tuple[str, str]]) -> MintedToken:
        asked_at = self.clock()
        try:
            # A session of its own for each fetch: nothing of the environment, no cookie, no redirect.
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(
                    url,
                    params=params,
                    auth=self.credential,
                    timeout=self.timeout,
                    verify=self.verify,
                    allow_redirects=False,
                    stream=True,
                )
                with answer:
                    body = answer.raw.read(MAX_ANSWER_BYTES, decode_content=True)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Unreachable(f"token server {host_of(url)}: did not answer ({type(error).__name__})") from error
        _raise_for(answer, host_of(url))
        return _read(body, host_of(url), asked_at)


def _raise_for(answer: requests.Response, host: str) -> None:
    status = answer.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise Unauthorized(f"token server {host}: does not accept our credential", status=status)
    if status == 429:
        raise RateLimited(f"token server {host}: too many requests", status=status)
    if status >= 500:
        raise ServerError(f"token server {host}: failed with status {status}", status=status)
    raise RegistryError(f"token server {host}: answered with status {status}", status=status)


def _read(body: bytes, host: str, asked_at: float) -> MintedToken:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    token = (document.get("token") or document.get("access_token")) if isinstance(document, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NotARegistry(f"token server {host}: gave no token")
    life = document.get("expires_in") if isinstance(document, dict) else None
    seconds = life if isinstance(life, int | float) and life > 0 else DEFAULT_LIFE_SECONDS
    return MintedToken(token, asked_at + seconds)
