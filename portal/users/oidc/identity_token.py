"""Is this identity token genuine, for us, of now, and of this very sign-in? (OpenID Connect Core 3.1.3.7, RFC 8725)

The signature is checked although the token came by our own request: trust then rests on the provider's keys alone."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Any, Final

import jwt

from portal.oidc_settings import OidcProvider
from portal.users.oidc.documents import ALGORITHMS, key_of
from portal.users.oidc.refusals import SignInError

MAX_CHARACTERS: Final = 64 * 1024
LEEWAY_SECONDS: Final = 60
FAULTS: Final = {
    jwt.ExpiredSignatureError: "Its identity token has expired.",
    jwt.ImmatureSignatureError: "Its identity token is of the future. Its clock and ours may differ.",
    jwt.InvalidAudienceError: "Its identity token is meant for another application.",
    jwt.InvalidIssuerError: "Its identity token was issued by somebody else.",
    jwt.InvalidSignatureError: "The signature of its identity token is wrong.",
    jwt.MissingRequiredClaimError: "Its identity token does not say everything it has to.",
}


def nonce_of(verifier: str) -> str:
    """What ties a token to the sign-in it was asked for: a hash of the PKCE verifier, which only that browser session has."""
    return urlsafe_b64encode(hashlib.sha256(b"nonce:" + verifier.encode()).digest()).rstrip(b"=").decode()


def verify_identity_token(text: object, provider: OidcProvider, nonce: str) -> dict[str, Any]:
    """The claims. Raises SignInError with what is wrong in words; asks the provider for its keys where they are not known."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise SignInError("untrusted", "It gave no identity token.")
    algorithm, kid = _header(text)
    key = key_of(provider, kid, algorithm)
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise SignInError("untrusted", FAULTS.get(type(error), "Its identity token cannot be read.")) from error
    _check(claims, provider, nonce)
    return claims


def _header(text: str) -> tuple[str, str | None]:
    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SignInError("untrusted", "Its identity token cannot be read.") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or "crit" in header:
        raise SignInError(
            "untrusted", f"Its identity token is signed with {str(algorithm)[:20]!r}, which is not taken."
        )
    return algorithm, kid if isinstance(kid, str) else None


def _check(claims: dict[str, Any], provider: OidcProvider, nonce: str) -> None:
    said, audience = claims.get("nonce"), claims["aud"]
    if not isinstance(said, str) or not secrets.compare_digest(said.encode(), nonce.encode()):
        raise SignInError("untrusted", "Its identity token belongs to another sign-in.")
    meant = claims.get("azp", provider.client_id if isinstance(audience, str) or len(audience) == 1 else None)
    if meant != provider.client_id:
        raise SignInError("untrusted", FAULTS[jwt.InvalidAudienceError])
    if not isinstance(claims["sub"], str) or not claims["sub"] or "\0" in claims["sub"]:
        raise SignInError("untrusted", "Its identity token names nobody.")
