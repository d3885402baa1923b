"""Which key signs the tokens of a registry, and which does it trust? One key per registry; keys never cross."""

from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.actor import Actor, system
from portal.audit.record import record
from registries.access.models import SigningKey
from registries.access.signing.key_material import KeyMaterial, PrivateKey, make_key, read_private_key
from registries.topology.models import Registry

TRUSTED = (SigningKey.State.ACTIVE, SigningKey.State.PUBLISHED, SigningKey.State.REPLACED)


class NoKeyError(LookupError):
    """A registry has no key that signs."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no signing key yet. Run manage.py registry_config {name}, which makes one.")


def ensure_key(registry: Registry, actor: Actor | None = None) -> SigningKey:
    """The key that signs for a registry, made by the registry's algorithm where there is none yet."""
    known = active_key(registry)
    if known is not None:
        return known
    now = timezone.now()
    made = make_key(registry.token_algorithm, registry.name, now)
    try:
        with transaction.atomic():
            key = store_key(registry, made, SigningKey.State.ACTIVE, activated_at=now)
            record(actor or system("portal"), "signingkey.created", key, kid=made.kid, algorithm=made.algorithm)
        return key
    except IntegrityError:
        # Somebody else made it in the same moment; there is one active key per registry.
        return SigningKey.objects.get(registry=registry, state=SigningKey.State.ACTIVE)


def store_key(registry: Registry, made: KeyMaterial, state: str, **fields: Any) -> SigningKey:
    """The row of a key pair."""
    return SigningKey.objects.create(
        registry=registry,
        kid=made.kid,
        algorithm=made.algorithm,
        private_pem=made.private_pem,
        certificate_pem=made.certificate_pem,
        public_jwk=made.public_jwk,
        state=state,
        **fields,
    )


def active_key(registry: Registry) -> SigningKey | None:
    return SigningKey.objects.filter(registry=registry, state=SigningKey.State.ACTIVE).first()


@lru_cache(maxsize=256)
def signing_key(kid: str) -> tuple[str, PrivateKey]:
    """Algorithm and parsed private key. A key id belongs to one key for ever, so this never goes stale."""
    row = SigningKey.objects.only("algorithm", "private_pem").get(kid=kid)
    return row.algorithm, read_private_key(row.private_pem)


def bundle_pem(registry: Registry) -> str:
    """Certificates of all keys the registry is to trust, for ``rootcertbundle``; empty when there is none."""
    return "".join(row.certificate_pem for row in trusted_keys(registry))


def jwks(registry: Registry) -> dict[str, Any]:
    """The same keys as a JWKS, each under the id our tokens carry."""
    return {"keys": [row.public_jwk for row in trusted_keys(registry)]}


def newest_certificate(registry: Registry) -> str:
    """For servers that trust one key at a time (zot): that of the next key where there is one, else of the active; empty without any."""
    by_state = {row.state: row.certificate_pem for row in trusted_keys(registry)}
    return by_state.get(SigningKey.State.PUBLISHED) or by_state.get(SigningKey.State.ACTIVE, "")


def trusted_keys(registry: Registry) -> list[SigningKey]:
    """All it is to trust, the one that signs first; without their private halves."""
    rows = SigningKey.objects.filter(registry=registry, state__in=TRUSTED).defer("private_pem")
    return sorted(rows, key=lambda row: (row.state != SigningKey.State.ACTIVE, row.pk))
