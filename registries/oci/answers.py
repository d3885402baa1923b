"""What does an answer mean? Statuses and error bodies turned into our errors (distribution-spec, "Error Codes")."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from registries.oci.challenge import parse_challenge
from registries.oci.errors import (
    Denied,
    DigestMismatch,
    NotARegistry,
    NotFound,
    RateLimited,
    RegistryError,
    ServerError,
    TooLarge,
    Unauthorized,
    Unsupported,
)

_MAX_SHOWN = 200


def error_for(who: str, about: str, status: int, headers: Mapping[str, str], body: bytes) -> RegistryError:
    """The error of an answer that is not among those asked for; `who` and `about` open its sentence."""
    codes, said = read_errors(body)
    start, end = f"{who}: {about}:", f" ({said})" if said else ""
    if status == 429:
        wait = retry_after(headers.get("Retry-After", ""), datetime.now(UTC))
        patience = f"; it asks to wait {wait:.0f} s" if wait is not None else ""
        return RateLimited(f"{start} too many requests{patience}{end}", retry_after=wait, status=status, codes=codes)
    kind, what = _classify(status, codes, headers, body)
    return kind(f"{start} {what}{end}", status=status, codes=codes)


def _classify(
    status: int, codes: tuple[str, ...], headers: Mapping[str, str], body: bytes
) -> tuple[type[RegistryError], str]:
    if status == 401:
        return _refusal(headers)
    if status >= 500 or status == 408:
        return ServerError, f"it failed with status {status}"
    if status in (200, 404) and is_html(headers, body):
        return NotARegistry, "a web page answered; is this the address of a registry?"
    if status in (301, 302, 303, 307, 308):
        return NotARegistry, f"it redirects to {headers.get('Location', '')[:_MAX_SHOWN]}; use that address for it"
    if "DIGEST_INVALID" in codes:
        return DigestMismatch, "it says that content and digest do not match"
    if status == 405 or "UNSUPPORTED" in codes:
        return Unsupported, "it does not support this, or has it switched off"
    simple = {
        403: (Denied, "access is refused"),
        404: (NotFound, "not found"),
        413: (TooLarge, "the body is too large"),
    }
    return simple.get(status, (RegistryError, f"it answered with status {status}"))


def _refusal(headers: Mapping[str, str]) -> tuple[type[RegistryError], str]:
    challenges = parse_challenge(headers.get("WWW-Authenticate", ""))
    for challenge in challenges:
        # Distribution answers 401, not 403, when a good token does not cover the request.
        if challenge.params.get("error") == "insufficient_scope":
            return Denied, f"our token does not cover {challenge.params.get('scope', 'this')[:_MAX_SHOWN]}"
    return Unauthorized, "our credential is not accepted"


def read_errors(body: bytes) -> tuple[tuple[str, ...], str]:
    """The registry's error codes, and its words on one line; both empty when it gave none."""
    try:
        errors = json.loads(body)["errors"]
        found = [(str(error["code"])[:60], str(error.get("message", ""))) for error in errors[:5]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return (), ""
    said = ", ".join(f"{code}: {message}" if message else code for code, message in found)
    return tuple(code for code, _ in found), " ".join(said.split())[:_MAX_SHOWN]


def is_html(headers: Mapping[str, str], body: bytes = b"") -> bool:
    return "html" in headers.get("Content-Type", "").lower() or body.lstrip()[:14].lower().startswith(b"<!doctype html")


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: a number or a date."""
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
