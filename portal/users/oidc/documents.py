"""What does a provider publish? Its endpoints and keys, kept for a while in each process and never taken from anywhere else."""

from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.core.cache import cache

from portal.http.outside import UnreadableError, read_json
from portal.issuer_address import address_fault
from portal.oidc_settings import OidcProvider
from portal.users.oidc.refusals import SignInError

ENDPOINTS_SECONDS: Final = 600
DOWN_SECONDS: Final = 5  # one is not asked again while it is down: each who waits for it holds a thread of ours
KEYS_SECONDS: Final = 3600
COOLDOWN_SECONDS: Final = 60  # between two looks for a key that we do not know
MIN_RSA_BITS: Final = 2048
FAMILIES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
ALGORITHMS: Final = tuple(f"{family}{bits}" for family in FAMILIES for bits in (256, 384, 512))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked what. ``userinfo`` is empty where it has none."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    takes_basic: bool  # client and secret in the header; else in the form


def endpoints_of(provider: OidcProvider) -> Endpoints:
    """Raises SignInError where the provider does not answer, or answers for somebody else."""
    place = f"oidc:endpoints:{provider.issuer}"
    known: Endpoints | str | None = cache.get(place)
    if isinstance(known, str):
        raise SignInError("unreachable", known)
    if known is None:
        try:
            known = _discover(provider)
        except SignInError as error:
            if error.code == "unreachable":
                cache.set(place, error.sentence, DOWN_SECONDS)
            raise
        cache.set(place, known, ENDPOINTS_SECONDS)
    return known


def key_of(provider: OidcProvider, kid: str | None, algorithm: str) -> Any:
    """The public key of that name, or the only one where a token names none. Raises SignInError."""
    place = f"oidc:keys:{provider.issuer}"
    entries: list[dict[str, Any]] | None = cache.get(place)
    found = _chosen(entries or [], kid, algorithm)
    if found is None and (entries is None or cache.add(f"{place}:asked", True, COOLDOWN_SECONDS)):
        entries = _read_keys(provider)
        cache.set(place, entries, KEYS_SECONDS)
        found = _chosen(entries, kid, algorithm)
    if found is None:
        raise SignInError(
            "untrusted", f"Its identity token is signed with a key {str(kid)[:80]!r} that it does not publish."
        )
    return _loaded(found, algorithm)


def told(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The object at one of the provider's addresses. Raises SignInError."""
    try:
        return read_json(url, headers)
    except UnreadableError as error:
        raise SignInError("unreachable", str(error)) from error


def _discover(provider: OidcProvider) -> Endpoints:
    document = told(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != provider.issuer:
        name = str(document.get("issuer"))[:120]
        raise SignInError("untrusted", f"Its discovery document is of {name!r} and not of {provider.issuer!r}.")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        authorization=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        keys=_address(document, "jwks_uri"),
        userinfo=_address(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else "",
        takes_basic=isinstance(methods, list) and "client_secret_basic" in methods,
    )


def _address(document: dict[str, Any], name: str) -> str:
    """Another host is usual with large providers; what counts is that the issuer itself names it, and that nobody can listen in."""
    url = document.get(name)
    if not isinstance(url, str) or address_fault(url.partition("?")[0]):
        raise SignInError("untrusted", f"Its discovery document has no {name} that may be used: {str(url)[:120]!r}.")
    return url


def _read_keys(provider: OidcProvider) -> list[dict[str, Any]]:
    found = told(endpoints_of(provider).keys).get("keys")
    entries = found if isinstance(found, list) else []
    return [entry for entry in entries[:64] if isinstance(entry, dict) and entry.get("use", "sig") == "sig"]


def _chosen(entries: list[dict[str, Any]], kid: str | None, algorithm: str) -> dict[str, Any] | None:
    family = FAMILIES[algorithm[:2]]
    fitting = [entry for entry in entries if entry.get("kty") == family and entry.get("alg", algorithm) == algorithm]
    if kid is None:
        return fitting[0] if len(fitting) == 1 else None
    return next((entry for entry in fitting if entry.get("kid") == kid), None)


def _loaded(entry: dict[str, Any], algorithm: str) -> Any:
    try:
        key = jwt.PyJWK.from_dict(entry, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise SignInError("untrusted", "The key its identity token is signed with cannot be read.") from error
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise SignInError("untrusted", f"Its key has {key.key_size} bits, which is too short to prove anything.")
    return key
