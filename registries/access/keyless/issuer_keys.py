"""The public keys of an issuer: kept in its row, read anew when a token names one we do not know, never emptied.

Nothing here runs inside a transaction, and nobody is asked who is not configured."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from portal.http.outside import UnreadableError, read_json
from portal.issuer_address import address_fault, is_same_host
from registries.access.keyless.federation_models import Issuer

MAX_KEYS: Final = 64
COOLDOWN: Final = timedelta(minutes=1)
MAX_AGE: Final = timedelta(hours=1)
KEPT_MEMBERS: Final = ("kty", "kid", "alg", "use", "n", "e", "crv", "x", "y")


class KeysUnavailableError(Exception):
    """The issuer's keys could not be read; the sentence says what happened."""


def find_key(issuer: Issuer, kid: str, now: datetime) -> dict[str, Any] | None:
    """The key of that name. Asks the issuer where it is unknown or was read long ago, at most once a minute over all processes."""
    known = _named(issuer, kid)
    is_fresh = issuer.jwks_fetched_at is not None and now - issuer.jwks_fetched_at < MAX_AGE
    if known is not None and is_fresh:
        return known
    if _take_turn(issuer, now):
        refresh_keys(issuer, now)
    return _named(issuer, kid)


def refresh_keys(issuer: Issuer, now: datetime) -> None:
    """Read the keys; on trouble those known stay, and the row says what the trouble was."""
    row = Issuer.objects.filter(pk=issuer.pk)
    try:
        issuer.jwks = {"keys": read_keys(issuer)}
    except KeysUnavailableError as error:
        row.update(jwks_error=str(error)[:255])
        return
    row.update(jwks=issuer.jwks, jwks_fetched_at=now, jwks_error="")


def read_keys(issuer: Issuer) -> list[dict[str, Any]]:
    """The usable keys the issuer publishes now. Raises KeysUnavailableError, also where there are none."""
    body = _get(issuer.jwks_url or _discovered(issuer))
    found = body.get("keys")
    entries = found[:MAX_KEYS] if isinstance(found, list) else []
    keys = [
        {name: entry[name] for name in KEPT_MEMBERS if isinstance(entry.get(name), str)}
        for entry in entries
        if isinstance(entry, dict) and entry.get("kty") in ("RSA", "EC") and entry.get("use", "sig") == "sig"
    ]
    keys = [key for key in keys if key.get("kid")]
    if not keys:
        raise KeysUnavailableError("The issuer published no key that could be used.")
    return keys


def _take_turn(issuer: Issuer, now: datetime) -> bool:
    due = Q(jwks_tried_at=None) | Q(jwks_tried_at__lte=now - COOLDOWN)
    return bool(Issuer.objects.filter(due, pk=issuer.pk).update(jwks_tried_at=now))


def _named(issuer: Issuer, kid: str) -> dict[str, Any] | None:
    keys: list[dict[str, Any]] = issuer.jwks.get("keys", [])
    return next((key for key in keys if key["kid"] == kid), None)


def _discovered(issuer: Issuer) -> str:
    document = _get(f"{issuer.url.rstrip('/')}/.well-known/openid-configuration")
    address = document.get("jwks_uri")
    if document.get("issuer") != issuer.url:
        raise KeysUnavailableError(
            f"The discovery document is of another issuer: {str(document.get('issuer'))[:80]!r}."
        )
    if not isinstance(address, str) or address_fault(address) or not is_same_host(address, issuer.url):
        text = f"The discovery document sends us to {str(address)[:120]!r} for keys, which is another server."
        raise KeysUnavailableError(f"{text} If that is right, write it into the issuer's address of the keys.")
    return address


def _get(url: str) -> dict[str, Any]:
    try:
        return read_json(url)
    except UnreadableError as error:
        raise KeysUnavailableError(str(error)) from error
