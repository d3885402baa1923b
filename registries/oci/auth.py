"""How does a request prove who we are? One object per registry and credential, shared by its threads."""

import base64
from collections.abc import Callable, Iterable
from typing import Protocol

from registries.oci.challenge import Challenge
from registries.oci.realm import Realm
from registries.oci.scope import Scope, parse_scopes
from registries.oci.tokens import MintedToken, TokenCache


class Auth(Protocol):
    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        """The value of the Authorization header, or None to send none.

        Asked without a challenge before a request. When the registry answers 401, asked once more with
        its challenge and with the value it `rejected`; None then means that there is nothing better.
        """
        ...


class Anonymous:
    """No credential; fetches the tokens that public registries give to everybody."""

    def __init__(self, *, trusted_realm_hosts: Iterable[str] = (), verify: bool | str = True) -> None:
        self._bearer = _Bearer(Realm(None, frozenset(trusted_realm_hosts), verify))

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        return self._bearer.authorization(scopes, challenge, rejected)


class BasicAuth:
    """A user name and secret: sent to the registry when it asks Basic, and to its token server when it asks Bearer.

    The realm must be at the registry's own host or among `trusted_realm_hosts` (host or host:port).
    """

    def __init__(
        self, username: str, password: str, *, trusted_realm_hosts: Iterable[str] = (), verify: bool | str = True
    ) -> None:
        self._basic = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._wants_basic = False
        self._bearer = _Bearer(Realm((username, password), frozenset(trusted_realm_hosts), verify))

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        if challenge is not None:
            self._wants_basic = challenge.scheme == "basic"
        if self._wants_basic:
            return None if rejected == self._basic else self._basic
        return self._bearer.authorization(scopes, challenge, rejected)


class OneToken:
    """One token, shown as it is, with nothing better where it is refused; without one, nothing is shown."""

    def __init__(self, token: str | None) -> None:
        self._value = f"Bearer {token}" if token else None

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        return None if challenge is not None or rejected else self._value


class MintedAuth:
    """Tokens made in this very process, by whoever holds the signing key; no token server is asked."""

    def __init__(self, mint: Callable[[tuple[Scope, ...]], MintedToken]) -> None:
        self._mint = mint
        self._cache = TokenCache()

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        if challenge is not None and challenge.scheme != "bearer":
            return None
        refused = _token_of(rejected)
        return "Bearer " + self._cache.get(scopes, lambda: self._mint(scopes), refused)


class _Bearer:
    """Remembers the registry's challenge, so that only the very first request is sent in vain."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._cache = TokenCache()
        self._known: Challenge | None = None

    def authorization(self, scopes: tuple[Scope, ...], challenge: Challenge | None, rejected: str | None) -> str | None:
        known = challenge or self._known
        if known is None or known.scheme != "bearer":
            return None
        self._known = known
        asked = _merged(scopes, challenge)
        refused = _token_of(rejected)
        return "Bearer " + self._cache.get(scopes, lambda: self._realm.fetch(known, asked), refused)


def _merged(scopes: tuple[Scope, ...], challenge: Challenge | None) -> tuple[Scope, ...]:
    """Ours first (some token servers look at the first only), then what the registry says it wants."""
    wanted = challenge.params.get("scope", "") if challenge else ""
    return parse_scopes([*map(str, scopes), wanted]).scopes


def _token_of(header: str | None) -> str | None:
    return header.removeprefix("Bearer ") if header else None
