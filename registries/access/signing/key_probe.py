"""What does a registry make of a token signed by one of its keys? Asked of the registry itself: never inside a transaction."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from django.utils import timezone

from registries.access.connect import endpoint_of
from registries.access.models import SigningKey
from registries.access.signing.key_material import PrivateKey, make_key, read_private_key
from registries.access.tokens import claims_of, sign_claims
from registries.adapters import Reception, show_token
from registries.oci.auth import Anonymous
from registries.topology.models import Registry

# Several servers may stand behind one name, and each was started at its own time.
TRIES = 3
# A colon is in no person's and no robot's name. The token grants nothing.
PRINCIPAL = "system:probe"
State, Probe = SigningKey.State, SigningKey.Probe


@dataclass(frozen=True)
class Finding:
    """``outcome`` is one of SigningKey.Probe, ``text`` the sentence for people."""

    outcome: str
    text: str


def ask_registry(registry: Registry, key: SigningKey, active: SigningKey | None) -> Finding:
    """Show tokens signed by ``key``, and tokens that no registry may take. ``active`` is the key that signs now, for comparison."""
    answers = [_show(registry, token_of(registry, key.kid)) for _ in range(TRIES)]
    silent = next((answer for answer in answers if answer.taken == "down"), None)
    if silent is not None:
        return Finding(Probe.DOWN, f"No answer to go by: {silent.text}.")
    taken = sum(answer.taken == "accepted" for answer in answers)
    is_out = key.state in (State.RETIRED, State.REVOKED)
    if taken == 0:
        return Finding(Probe.REFUSED, _why_refused(registry, key, active))
    if taken < TRIES and not is_out:
        text = f"{registry} took the token {taken} of {TRIES} times: several servers stand behind its name, and not all have read the new file."
        return Finding(Probe.REFUSED, f"{text} Restart the others.")
    return _checked(registry, key) or Finding(Probe.TRUSTED, _why_trusted(registry, key))


def token_of(registry: Registry, kid: str) -> str:
    """A real token without any rights."""
    return sign_claims(kid, _claims(registry))


def stranger_token(registry: Registry, kid: str, algorithm: str) -> str:
    """The same, signed by a key that nobody trusts under the id of one that is trusted."""
    return jwt.encode(_claims(registry), _strange_key(algorithm), algorithm, headers={"kid": kid})


@lru_cache(maxsize=2)
def _strange_key(algorithm: str) -> PrivateKey:
    return read_private_key(make_key(algorithm, "nobody", timezone.now()).private_pem)


def _claims(registry: Registry) -> dict[str, Any]:
    return claims_of(PRINCIPAL, registry.service, (), timezone.now())


def _show(registry: Registry, token: str | None) -> Reception:
    return show_token(endpoint_of(registry, Anonymous()), token)


def _checked(registry: Registry, key: SigningKey) -> Finding | None:
    """What is wrong when it takes everything: a 200 says something only where a bad token gets none."""
    tests = (
        (stranger_token(registry, key.kid, key.algorithm), "a token signed by a stranger"),
        (None, "no token at all"),
    )
    for token, what in tests:
        answer = _show(registry, token)
        if answer.taken == "down":
            return Finding(Probe.DOWN, f"No answer to go by: {answer.text}.")
        if answer.taken == "accepted":
            text = f"{registry} lets everybody in: it answered 200 to {what}, so it checks none."
            return Finding(
                Probe.UNCHECKED, f"{text} Start it with the file that manage.py registry_config {registry} prints."
            )
    return None


def _why_trusted(registry: Registry, key: SigningKey) -> str:
    if key.state in (State.RETIRED, State.REVOKED):
        return f"{registry} still trusts this key, which was taken out. Give it the present file and restart it."
    return f"{registry} took a token signed by this key, {TRIES} times out of {TRIES}, and refused one signed by a stranger."


def _why_refused(registry: Registry, key: SigningKey, active: SigningKey | None) -> str:
    if key.state in (State.RETIRED, State.REVOKED):
        return f"{registry} refuses what this key signs. It is out."
    if key.state != State.PUBLISHED or active is None:
        return (
            f"{registry} refuses what this key signs: it has not been restarted with the present file, or the service, "
            "the issuer or the clock in its configuration are not the portal's."
        )
    if _show(registry, token_of(registry, active.kid)).taken == "accepted":
        return f"{registry} trusts the key that signs now and not yet this one: the file has not been updated, or it has not been restarted since."
    return (
        f"{registry} refuses this key and the one that signs now: look at service, issuer and clock in its configuration. "
        "A server that trusts one key at a time (zot) answers so when it has neither."
    )
