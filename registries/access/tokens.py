"""Make the token that a registry verifies (Docker token specification, "JSON Web Token"): minutes of life, one audience, no more
than was asked and allowed."""

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from json import JSONEncoder
from typing import Any, Final

import jwt
from django.conf import settings
from django.utils import timezone

from registries.access.counts.tally import tally
from registries.access.facts import Grant, Place
from registries.access.policy import evaluate_scopes
from registries.access.principals import Principal, system_principal
from registries.access.signing.keys import NoKeyError, signing_key
from registries.access.snapshot import Snapshot, current_snapshot
from registries.oci.errors import Denied
from registries.oci.scope import Scope
from registries.oci.tokens import MintedToken
from registries.topology.models import Registry

LIFE_SECONDS: Final = 300
# zot takes no token from the future, not by a second.
BACKDATE_SECONDS: Final = 10
# How old the policy may be that a long job goes by.
LOOK_SECONDS: Final = 2.0
# Proxies in front of registries stop at headers of 8 KiB.
MAX_TOKEN_BYTES: Final = 7 * 1024
_as_json: Final = JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Token:
    """``granted`` is what is really in it; ``left_out`` were allowed and did not fit."""

    text: str = field(repr=False)
    granted: tuple[Scope, ...]
    left_out: tuple[Scope, ...] = ()


def sign_token(
    snapshot: Snapshot, place: Place, service: str, principal: Principal, grants: Iterable[Grant], now: datetime
) -> Token:
    """Sign what was granted with the registry's own key. Raises NoKeyError when it has none.

    Where the token would grow past 7 KiB, the scopes asked last are left out: a narrower token is always right."""
    kid = snapshot.kids.get(place.key)
    if kid is None:
        raise NoKeyError(place.name)
    granted = [Scope(grant.scope.type, grant.scope.name, grant.granted) for grant in grants if grant.granted]
    kept = _fitting(granted)
    text = sign_claims(kid, claims_of(principal.name, service, granted[:kept], now))
    while len(text) > MAX_TOKEN_BYTES and kept:  # long names of service and issuer, and the long signature of RS256
        kept -= 1
        text = sign_claims(kid, claims_of(principal.name, service, granted[:kept], now))
    return Token(text, tuple(granted[:kept]), tuple(granted[kept:]))


def claims_of(name: str, service: str, granted: Iterable[Scope], now: datetime) -> dict[str, Any]:
    """What every token of ours says."""
    issued = int(now.timestamp())
    return {
        "iss": settings.PORTAL_TOKEN_ISSUER,
        "sub": name,
        "aud": service,
        "iat": issued - BACKDATE_SECONDS,
        "nbf": issued - BACKDATE_SECONDS,
        "exp": issued + LIFE_SECONDS,
        "jti": secrets.token_urlsafe(16),
        "access": [_entry(scope) for scope in granted],
    }


def sign_claims(kid: str, claims: dict[str, Any]) -> str:
    """The token, signed by one of our keys."""
    head, sign = _signer(kid)
    signed = f"{head}.{_encoded(_as_json(claims).encode())}"
    return f"{signed}.{_encoded(sign(signed.encode()))}"


@lru_cache(maxsize=256)
def _signer(kid: str) -> tuple[str, Callable[[bytes], bytes]]:
    """The first part of all tokens of a key, and what signs with it (RFC 7515, 7518). PyJWT would check and encode the same header
    again for each token, which takes as long as the signature."""
    algorithm, key = signing_key(kid)
    header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
    return _encoded(_as_json(header).encode()), partial(jwt.get_algorithm_by_name(algorithm).sign, key=key)


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def mint_for_job(principal: str, registry: Registry, scopes: Sequence[Scope]) -> MintedToken:
    """One token for one of our own jobs, by the same policy. Raises Denied with the reason, NoKeyError without a key."""
    return JobMinter(principal, registry).mint(tuple(scopes))


class JobMinter:
    """Mints for one job at one registry, from any thread. The database is read in the thread that made it alone: the others have no
    connection, and what they carry counts for nothing until the first thread sets the tag."""

    def __init__(self, principal: str, registry: Registry) -> None:
        self._principal = system_principal(principal)
        self._registry = registry
        self._thread = threading.get_ident()
        self._snapshot, self._looked_at = current_snapshot(), time.monotonic()

    def check(self, scopes: Sequence[Scope]) -> tuple[Grant, ...]:
        """What the policy grants; raises Denied when that is less than asked: a job that gets less cannot do its work."""
        if threading.get_ident() == self._thread and time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._snapshot, self._looked_at = current_snapshot(), time.monotonic()
        now, place = timezone.now(), self._place
        grants = evaluate_scopes(self._snapshot.policy, self._principal, place, scopes, now)
        tally.note_denials(place.key, self._principal.name, grants, now)
        for grant in grants:
            for verdict in grant.refused:
                raise Denied(f"{place.name}: {grant.scope.name}: {verdict.action} refused: {verdict.text}")
        return grants

    def prepare(self) -> None:
        """Parse the key before threads ask for it; raises NoKeyError."""
        kid = self._snapshot.kids.get(self._registry.pk)
        if kid is None:
            raise NoKeyError(self._registry.name)
        signing_key(kid)

    def mint(self, scopes: tuple[Scope, ...]) -> MintedToken:
        asked_at, grants = time.monotonic(), self.check(scopes)
        now = timezone.now()
        token = sign_token(self._snapshot, self._place, self._registry.service, self._principal, grants, now)
        tally.note_token(self._registry.pk, self._principal, grants, "issued", now)
        return MintedToken(token.text, asked_at + LIFE_SECONDS)

    @property
    def _place(self) -> Place:
        return self._snapshot.place(self._registry)


def _entry(scope: Scope) -> dict[str, Any]:
    order = ("pull", "push", "delete")
    actions = sorted(scope.actions, key=lambda action: (order.index(action) if action in order else 9, action))
    return {"type": scope.type, "name": scope.name, "actions": actions}


def _fitting(scopes: Sequence[Scope]) -> int:
    """How many of the scopes, from the first, fit into a token. Base64 makes four bytes of three."""
    left = (MAX_TOKEN_BYTES - 800) * 3 // 4
    for count, scope in enumerate(scopes):
        left -= len(f'{{"type":"{scope.type}","name":"{scope.name}","actions":[]}},') + 10 * len(scope.actions)
        if left < 0:
            return count
    return len(scopes)
