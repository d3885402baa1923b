"""Is this identity token genuine, meant for us and of now? (OpenID Connect Core 3.1.3.7, RFC 8725.)"""

import binascii
import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from registries.access.keyless.federation_models import ALGORITHMS, Issuer
from registries.access.keyless.issuer_keys import find_key

MAX_CHARACTERS: Final = 16 * 1024
MAX_JTI: Final = 512
LEEWAY_SECONDS: Final = 30
MIN_RSA_BITS: Final = 2048
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class RefusedTokenError(Exception):
    """Why a token is not taken: ``code`` for counting, the sentence and the issuer for the audit. Outside nobody learns which."""

    def __init__(
        self, code: str, text: str, issuer: Issuer | None = None, claims: dict[str, Any] | None = None
    ) -> None:
        super().__init__(text)
        self.code, self.issuer, self.claims = code, issuer, claims or {}


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that may be believed."""

    issuer: Issuer
    claims: dict[str, Any]


def verify_token(text: str, now: datetime) -> Verified:
    """Raises RefusedTokenError. The network is used only for keys of an issuer that is configured, never for one a token names."""
    if len(text) > MAX_CHARACTERS:
        raise RefusedTokenError("too_large", f"The token has more than {MAX_CHARACTERS} characters.")
    if not _SHAPE.fullmatch(text):
        raise RefusedTokenError("malformed", "That is no signed token.")
    header, said = (_opened(part) for part in text.split(".")[:2])
    issuer = _issuer(said.get("iss"))
    key = _key(issuer, header, now)
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=[str(header["alg"])],
            audience=settings.PORTAL_BASE_URL,
            issuer=issuer.url,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "exp", "iat", "jti"], "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise RefusedTokenError("not_valid", f"{type(error).__name__}: {str(error)[:200]}", issuer) from error
    if not isinstance(claims["jti"], str) or not 0 < len(claims["jti"]) <= MAX_JTI:
        raise RefusedTokenError("not_valid", "The jti is no text of a sensible length.", issuer, claims)
    return Verified(issuer, claims)


def _opened(part: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise RefusedTokenError("malformed", "A part of the token is no JSON.") from error
    if not isinstance(found, dict):
        raise RefusedTokenError("malformed", "A part of the token is no JSON object.")
    return found


def _issuer(url: object) -> Issuer:
    issuer = (
        Issuer.objects.filter(url=url).first() if isinstance(url, str) and url.isprintable() and url.isascii() else None
    )
    if issuer is None:
        raise RefusedTokenError("unknown_issuer", f"No issuer {str(url)[:200]!r} is configured.")
    if not issuer.is_enabled:
        raise RefusedTokenError("issuer_disabled", f"The issuer {issuer} is switched off.", issuer)
    return issuer


def _key(issuer: Issuer, header: dict[str, Any], now: datetime) -> Any:
    """Ours by its name; what the token itself brings as a key is not even looked at."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or algorithm not in issuer.algorithms:
        raise RefusedTokenError(
            "bad_algorithm", f"It is signed with {str(algorithm)[:20]!r}, which is not allowed.", issuer
        )
    if not isinstance(kid, str) or not kid or "crit" in header:
        raise RefusedTokenError("malformed", "The header names no key, or asks for what we do not do.", issuer)
    entry = find_key(issuer, kid, now)
    if entry is None:
        text = f"The issuer has no key {kid[:80]!r} that we know of."
        raise RefusedTokenError("unknown_key", text, issuer)
    return _loaded(issuer, entry, str(algorithm))


def _loaded(issuer: Issuer, entry: dict[str, Any], algorithm: str) -> Any:
    if entry["kty"] != ("RSA" if algorithm.startswith("RS") else "EC") or entry.get("alg", algorithm) != algorithm:
        raise RefusedTokenError("bad_algorithm", f"The key {entry['kid'][:80]!r} is not for {algorithm}.", issuer)
    try:
        key = jwt.PyJWK.from_dict(entry, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise RefusedTokenError("bad_key", f"The key {entry['kid'][:80]!r} cannot be read.", issuer) from error
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise RefusedTokenError("bad_key", f"The key {entry['kid'][:80]!r} has only {key.key_size} bits.", issuer)
    return key
