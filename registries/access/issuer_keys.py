"""The public keys of an issuer: kept in its row, read anew when a token names one we do not know, never emptied.

Nothing here runs inside a transaction, and nobody is asked who is not configured."""

import json
import time
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from django.db.models import Q

from registries.access.federation_models import Issuer
from registries.access.issuer_address import address_fault, is_same_host

TIMEOUT: Final = (3.0, 5.0)
DEADLINE_SECONDS: Final = 10.0
MAX_BYTES: Final = 256 * 1024
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
    """A JSON object; no redirect is followed, and no more is read than a set of keys can be."""
    try:
        with requests.get(
            url, timeout=TIMEOUT, allow_redirects=False, stream=True, headers={"Accept": "application/json"}
        ) as answer:
            if answer.status_code != 200:
                raise KeysUnavailableError(f"{url} answered {answer.status_code}.")
            body = json.loads(_bounded(answer, url))
    except (requests.RequestException, OSError) as error:
        raise KeysUnavailableError(f"{url} could not be read: {type(error).__name__}.") from error
    except (ValueError, RecursionError) as error:
        raise KeysUnavailableError(f"{url} answered something that is no JSON.") from error
    if not isinstance(body, dict):
        raise KeysUnavailableError(f"{url} answered JSON that is no object.")
    return body


def _bounded(answer: requests.Response, url: str) -> bytes:
    found, ends = b"", time.monotonic() + DEADLINE_SECONDS
    for part in answer.iter_content(4096):
        found += part
        if len(found) > MAX_BYTES:
            raise KeysUnavailableError(f"{url} answered more than {MAX_BYTES} bytes.")
        if time.monotonic() > ends:
            raise KeysUnavailableError(f"{url} took longer than {DEADLINE_SECONDS:.0f} seconds.")
    return found
