"""The token endpoint: every pull and push of every registry that trusts us passes here. It needs the database and nothing else."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from json import JSONEncoder
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.http.client_address import client_address
from portal.vault import UndecryptableError
from registries.access.adopt.logins import BusyError, SlowedDownError, recognise_imported
from registries.access.counts.tally import tally
from registries.access.facts import Grant, Place
from registries.access.policy import evaluate_scopes
from registries.access.principals import ANONYMOUS, Principal
from registries.access.recognise import recognise
from registries.access.signing.keys import NoKeyError
from registries.access.snapshot import Snapshot, current_snapshot
from registries.access.throttle import slow_down
from registries.access.token_request import BadTokenRequestError, TokenRequest, read_token_request
from registries.access.tokens import LIFE_SECONDS, Token, sign_token
from registries.oci.scope import Scope

logger = logging.getLogger(__name__)
MAX_DENIED = 20
MOST_BROKEN = 20
_encode = JSONEncoder(separators=(",", ":")).encode


class TokenAnswer(HttpResponse):
    """Written down only when it is out: no client waits for our counters."""

    def __init__(self, body: dict[str, Any], status: int = 200) -> None:
        text = _encode(body).encode()
        super().__init__(text, status=status, content_type="application/json")
        # Without it the server would send it in chunks, each in a packet of its own.
        self["Content-Length"] = str(len(text))
        self["Cache-Control"] = "no-store"
        self["Pragma"] = "no-cache"

    def close(self) -> None:
        # Before Django ends the request: it closes the connection then, and another would stay open in an idle thread.
        try:
            tally.flush_if_due()
        finally:
            super().close()


@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def token_view(request: HttpRequest) -> TokenAnswer:
    """``GET`` with Basic, ``POST`` with a form."""
    try:
        return _decided(read_token_request(request), client_address(request))
    except BadTokenRequestError as error:
        return _refusal(error.status, error.error, error.message)
    except SlowedDownError as error:
        return _slowed(error.seconds)
    except NoKeyError as error:
        logger.error("%s", error)
        return _refusal(503, "temporarily_unavailable", "The portal cannot sign tokens for this registry yet.")
    except (DatabaseError, InterfaceError, UndecryptableError, BusyError) as error:
        # Nothing is decided without the rows; least of all is somebody taken for a stranger.
        logger.error("No token could be decided: %s", error)
        return _refusal(503, "temporarily_unavailable", "The portal cannot decide at the moment; try again.")


def _decided(asked: TokenRequest, address: str) -> TokenAnswer:
    """Again where the connection to the database broke while it was idle, for each that waits in a pool: a restart of the database costs
    no login. Where no new one can be had, the database is gone."""
    for _ in range(MOST_BROKEN):
        try:
            return _answer(asked, address, timezone.now())
        except (OperationalError, InterfaceError):
            if connection.connection is None or connection.in_atomic_block or connection.is_usable():
                raise
            connection.close()
    return _answer(asked, address, timezone.now())


def _answer(asked: TokenRequest, address: str, now: datetime) -> TokenAnswer:
    epoch = None
    if asked.sent is not None:
        found = recognise(asked.sent.username, asked.sent.secret, now, address) or recognise_imported(
            asked.sent, asked.service, address, now
        )
        if found is None:
            return _wrong(asked, address, now)
        principal, epoch = found.principal, found.epoch
    elif not asked.scopes.scopes and not asked.scopes.rejected:
        # "docker login" asks for no scope: a 200 would tell a stranger that the login succeeded.
        return _unauthorized(asked)
    else:
        principal = replace(ANONYMOUS, address=address)
    snapshot = current_snapshot(epoch)
    key = snapshot.services.get(asked.service)
    if key is None:
        return _refusal(400, "invalid_request", f"No registry here has the service {asked.service[:120]!r}.")
    return _granted(asked, principal, snapshot, snapshot.places[key], now)


def _granted(asked: TokenRequest, principal: Principal, snapshot: Snapshot, place: Place, now: datetime) -> TokenAnswer:
    grants = evaluate_scopes(snapshot.policy, principal, place, asked.scopes.scopes, now)
    token = sign_token(snapshot, place, asked.service, principal, grants, now)
    denied = [
        *_denied(place, grants),
        *_unfit(token),
        *(f"{text!a}: {why}" for text, why in asked.scopes.rejected),
    ]
    _remember(principal, place, grants, denied, now)
    body: dict[str, Any] = {"token": token.text, "access_token": token.text, "expires_in": LIFE_SECONDS}
    if asked.is_post:
        body["scope"] = " ".join(map(str, token.granted))
    if denied:
        body["denied"] = denied[:MAX_DENIED]
    return TokenAnswer(body)


def _remember(principal: Principal, place: Place, grants: tuple[Grant, ...], denied: list[str], now: datetime) -> None:
    tally.note_token(place.key, principal, grants, "narrowed" if denied else "issued", now)
    if denied:
        tally.note_denials(place.key, str(principal), grants, now)
    for sentence in denied[:MAX_DENIED]:
        logger.info("%s at %s: denied: %s", principal, place.name, sentence)


def _denied(place: Place, grants: Iterable[Grant]) -> list[str]:
    return [
        f"{place.name}/{grant.scope.name}: {verdict.action}: {verdict.text}"
        for grant in grants
        for verdict in grant.refused
    ]


def _unfit(token: Token) -> list[str]:
    return [f"{_shown(scope)}: the token would be too large for the proxies on its way" for scope in token.left_out]


def _shown(scope: Scope) -> str:
    return str(scope)[:300]


def _wrong(asked: TokenRequest, address: str, now: datetime) -> TokenAnswer:
    """A wrong credential. Guesses are slowed down by account and network; a good one is never asked about them, so nobody is locked out."""
    key = current_snapshot().services.get(asked.service)
    if key is not None:
        tally.note_refused(key, now)
    wait = slow_down(asked.sent, address, now) if asked.sent else 0
    return _slowed(wait) if wait else _unauthorized(asked)


def _slowed(seconds: int) -> TokenAnswer:
    answer = _refusal(
        429, "slow_down", "Too many wrong secrets; wait a minute. One that the portal has issued is taken at any time."
    )
    answer["Retry-After"] = str(seconds)
    return answer


def _unauthorized(asked: TokenRequest) -> TokenAnswer:
    """One body for everything that can be wrong with a credential."""
    if asked.sent is not None:
        logger.info("Login refused: user name %r at service %r", asked.sent.username[:80], asked.service[:120])
    answer = _refusal(
        401,
        "invalid_grant",
        "Wrong user name or secret, or one that has expired or was revoked. Passwords are not taken here: make a personal "
        f"token at {settings.PORTAL_BASE_URL}/ and use it as the password; robots use their secret.",
    )
    answer["WWW-Authenticate"] = f'Basic realm="{settings.PORTAL_BASE_URL}/token"'
    return answer


def _refusal(status: int, error: str, message: str) -> TokenAnswer:
    """In the form of registries, which clients show, and in that of OAuth."""
    code = {401: "UNAUTHORIZED", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}.get(status, "UNSUPPORTED")
    body = {"errors": [{"code": code, "message": message}], "error": error, "error_description": message}
    answer = TokenAnswer(body, status)
    if status == 503:
        answer["Retry-After"] = "5"
    return answer
