"""What does a server of somebody else say? A JSON object, read with patience and appetite that end.

Never called in a transaction. No redirect is followed: an answer counts only where it was asked for."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

import requests
import urllib3

TIMEOUT: Final = (3.0, 5.0)
DEADLINE_SECONDS: Final = 10.0
MAX_BYTES: Final = 256 * 1024


class UnreadableError(Exception):
    """Nothing usable came; the sentence says what happened, without anything that was sent."""


def read_json(url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The object at an address. Raises UnreadableError."""
    status, body = _ask("GET", url, headers or {}, None)
    if status != 200:
        raise UnreadableError(f"{url} answered {status}.")
    return _object(url, body)


def post_form(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and object that come back for a form; refusals explain themselves in one too. Raises UnreadableError."""
    status, body = _ask("POST", url, headers, form)
    if status not in (200, 400, 401, 403):
        raise UnreadableError(f"{url} answered {status}.")
    return status, _object(url, body)


def _ask(method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> tuple[int, bytes]:
    said = {"Accept": "application/json", **headers}
    try:
        with requests.request(
            method, url, data=form, timeout=TIMEOUT, allow_redirects=False, stream=True, headers=said
        ) as answer:
            return answer.status_code, _bounded(answer, url)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise UnreadableError(f"{url} could not be read: {type(error).__name__}.") from error


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{url} answered something that is no JSON.") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{url} answered JSON that is no object.")
    return found


def _bounded(answer: requests.Response, url: str) -> bytes:
    """What is there is taken at once, however little: a server that drips could else hold us for longer than the deadline."""
    found, ends = b"", time.monotonic() + DEADLINE_SECONDS
    while part := answer.raw.read1(16 * 1024, decode_content=True):
        found += part
        if len(found) > MAX_BYTES:
            raise UnreadableError(f"{url} answered more than {MAX_BYTES} bytes.")
        if time.monotonic() > ends:
            raise UnreadableError(f"{url} took longer than {DEADLINE_SECONDS:.0f} seconds.")
    return found
