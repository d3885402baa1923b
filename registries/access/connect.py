"""The only door from a registry's row to a client of it. Whoever comes through says as what, and for which scopes."""

from collections.abc import Sequence

from portal.globs import matches
from registries.access.signing.keys import ensure_key
from registries.access.tokens import JobMinter
from registries.adapters import ADAPTERS, Adapter, Endpoint
from registries.oci.auth import Anonymous, Auth, BasicAuth, MintedAuth
from registries.oci.challenge import Challenge
from registries.oci.client import Client
from registries.oci.errors import Denied, Unsupported
from registries.oci.scope import Scope
from registries.oci.tokens import MintedToken
from registries.topology.models import Credential, Reach, Registry


def client_for(registry: Registry, principal: str, scopes: Sequence[Scope]) -> Client:
    """A client for one piece of work, acting as one of our system principals. Close it when done.

    ``scopes`` is all it may ever ask; names may be globs. A registry that trusts our tokens gets tokens minted here, any other
    the credential we keep for it, else none. The policy is asked in every case, so nothing leaves a sandbox that we merely
    observe. Raises Denied when the work is not this principal's."""
    is_enforced = registry.reach == Reach.ENFORCED
    if is_enforced:
        ensure_key(registry)
    bounded = Bounded(tuple(scopes), JobMinter(principal, registry), registry.name)
    bounded.minter.check([scope for scope in scopes if "*" not in scope.name])
    auth: Auth = Checked(_credential(registry), bounded)
    if is_enforced:
        bounded.minter.prepare()
        auth = MintedAuth(bounded.mint)
    return adapter_for(registry).client(endpoint_of(registry, auth))


def adapter_for(registry: Registry) -> Adapter:
    """What knows the ways of the registry's make."""
    adapter = ADAPTERS.get(registry.product)
    if adapter is None:
        raise Unsupported(f"{registry.name}: no adapter knows {registry.product!r}; known are {', '.join(ADAPTERS)}.")
    return adapter


class Bounded:
    """Holds one piece of work to the scopes it was opened for."""

    def __init__(self, scopes: tuple[Scope, ...], minter: JobMinter, name: str) -> None:
        self.scopes, self.minter, self._name = scopes, minter, name

    def mint(self, asked: tuple[Scope, ...]) -> MintedToken:
        self._hold(asked)
        return self.minter.mint(asked)

    def check(self, asked: tuple[Scope, ...]) -> None:
        self._hold(asked)
        self.minter.check(asked)

    def _hold(self, asked: tuple[Scope, ...]) -> None:
        for scope in asked:
            if not any(_covers(held, scope) for held in self.scopes):
                raise Denied(f"{self._name}: {scope} was asked in the middle of work that was not opened for it")


class Checked:
    """Another way in, with the policy asked before it."""

    def __init__(self, inner: Auth, bounded: Bounded) -> None:
        self._inner, self._bounded = inner, bounded

    def authorization(
        self, scopes: tuple[Scope, ...], challenge: Challenge | None = None, rejected: str | None = None
    ) -> str | None:
        self._bounded.check(scopes)
        return self._inner.authorization(scopes, challenge, rejected)


def _covers(held: Scope, asked: Scope) -> bool:
    return held.type == asked.type and asked.actions <= held.actions and matches(held.name, asked.name)


def _credential(registry: Registry) -> Auth:
    """Ours at that registry. It goes to the registry's own host alone, or to the token server known to belong to it."""
    verify: bool | str = (registry.ca_bundle or True) if registry.verify_tls else False
    held = Credential.objects.filter(registry=registry).first()
    if held is None:
        return Anonymous(verify=verify)
    return BasicAuth(held.username, held.secret, verify=verify)


def endpoint_of(registry: Registry, auth: Auth) -> Endpoint:
    """Where it is and how its TLS is checked."""
    ca_bundle = registry.ca_bundle or None
    return Endpoint(registry.base_url, auth, verify_tls=registry.verify_tls, ca_bundle=ca_bundle, name=registry.name)
