"""Exchange the key that signs for a registry, step by step, and take one out in an emergency.

The registry's row is locked for each step, so that two people who click at once take one step between them. What hinders a step
is said by rotation_rules; nothing of a private key leaves this module."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.vault import UndecryptableError
from registries.access.epoch import bump_epoch
from registries.access.models import SigningKey
from registries.access.signing.key_material import ALGORITHMS, KeyMaterial, make_key
from registries.access.signing.key_probe import Finding, ask_registry
from registries.access.signing.keys import active_key, store_key
from registries.access.signing.rotation_rules import (
    KeyFacts,
    Keys,
    Seen,
    why_not_abandon,
    why_not_publish,
    why_not_retire,
    why_not_revoke,
    why_not_switch,
)
from registries.access.tokens import LIFE_SECONDS
from registries.topology.models import Registry

State = SigningKey.State


def keys_of(registry: Registry) -> Keys:
    """All keys of a registry as values, the newest last; nothing of their private halves is read."""
    rows = SigningKey.objects.filter(registry=registry).defer("private_pem", "certificate_pem").order_by("pk")
    facts = tuple(_facts(row) for row in rows)
    return Keys(registry.name, registry.product, facts, timedelta(seconds=LIFE_SECONDS), registry.token_algorithm)


def publish_next_key(actor: Actor, registry: Registry, algorithm: str = "") -> SigningKey:
    """Make the next key, by default of the algorithm the registry is set to. It is in the bundle and the key set from here on and
    signs nothing. Raises Problem where there is a next key already, or none yet that it could follow."""
    made = _make_key(algorithm or registry.token_algorithm, registry)
    with transaction.atomic():
        hold_registry(registry)
        _refuse_if(why_not_publish(keys_of(registry)))
        key = store_key(registry, made, State.PUBLISHED)
        record(actor, "signingkey.published", key, kid=key.kid, algorithm=key.algorithm)
    return key


def probe_key(actor: Actor, registry: Registry, key: SigningKey) -> Finding:
    """Ask the registry whether it takes tokens signed by this key, and write down what it answered. Speaks to the network, so not
    for inside a transaction."""
    began = timezone.now()
    try:
        found = ask_registry(registry, key, active_key(registry))
    except UndecryptableError as error:
        raise Problem(409, "undecryptable", f"A key of {registry} cannot be read: {error}") from error
    with transaction.atomic():
        # An update and no save(): what was seen changes nothing about who may do what.
        SigningKey.objects.filter(pk=key.pk).update(
            probed_at=began, probe_outcome=found.outcome, probe_text=found.text[:500]
        )
        record(actor, "signingkey.probed", key, kid=key.kid, outcome=found.outcome, text=found.text[:500])
    return found


def switch_key(actor: Actor, registry: Registry) -> SigningKey:
    """The next key signs from here on; the one that did so far stays trusted. Raises Problem unless a probe of the next key has just
    passed; a registry that trusts one key at a time is switched without."""
    now = timezone.now()
    with transaction.atomic():
        hold_registry(registry)
        keys = keys_of(registry)
        _refuse_if(why_not_switch(keys, now))
        key = SigningKey.objects.get(registry=registry, state=State.PUBLISHED)
        # First the old one steps back: the database checks row by row that there is one.
        SigningKey.objects.filter(registry=registry, state=State.ACTIVE).update(state=State.REPLACED, replaced_at=now)
        _activate(registry, key)
        old = keys.active.kid if keys.active else ""
        record(actor, "signingkey.switched", key, kid=key.kid, algorithm=key.algorithm, replaces=old)
    return key


def retire_key(actor: Actor, registry: Registry, key: SigningKey) -> None:
    """Take a replaced key out of the bundle and the key set. Raises Problem while a token signed by it may be good, and unless a probe
    has just seen that the registry trusts the key that signs."""
    with transaction.atomic():
        hold_registry(registry)
        keys = keys_of(registry)
        facts = next(known for known in keys.all if known.pk == key.pk)
        _refuse_if(why_not_retire(keys, facts, timezone.now()))
        _end(key, State.RETIRED)
        record(actor, "signingkey.retired", key, kid=key.kid)


def abandon_key(actor: Actor, registry: Registry) -> SigningKey:
    """Take the next key out again; it has signed nothing. Raises Problem when there is none."""
    with transaction.atomic():
        hold_registry(registry)
        _refuse_if(why_not_abandon(keys_of(registry)))
        key = SigningKey.objects.get(registry=registry, state=State.PUBLISHED)
        _end(key, State.RETIRED)
        record(actor, "signingkey.abandoned", key, kid=key.kid)
    return key


def revoke_key(actor: Actor, registry: Registry, key: SigningKey, reason: str) -> SigningKey | None:
    """Take a key out of the bundle and the key set at once, whatever that breaks. Where it was the key that signs, the next key signs
    from here on, or a new one where none was published; that key is returned.

    The registry trusts the revoked key until it is restarted with the new file. Raises Problem without a reason."""
    if not reason.strip():
        raise Problem(422, "reason_missing", "Say why the key is revoked: somebody will ask.")
    spare = _make_key(registry.token_algorithm, registry)
    with transaction.atomic():
        hold_registry(registry)
        key.refresh_from_db(fields=["state"])
        _refuse_if(why_not_revoke(_facts(key)))
        was_active = key.state == State.ACTIVE
        _end(key, State.REVOKED)
        heir = _heir(registry, spare) if was_active else None
        record(actor, "signingkey.revoked", key, kid=key.kid, reason=reason.strip(), heir=heir.kid if heir else "")
    return heir


def _heir(registry: Registry, spare: KeyMaterial) -> SigningKey:
    key = SigningKey.objects.filter(registry=registry, state=State.PUBLISHED).first()
    if key is None:
        key = store_key(registry, spare, State.PUBLISHED)
    _activate(registry, key)
    return key


def _activate(registry: Registry, key: SigningKey) -> None:
    if not SigningKey.objects.filter(pk=key.pk, state=State.PUBLISHED).update(
        state=State.ACTIVE, activated_at=timezone.now()
    ):
        raise Problem(409, "key_state", "The next key was taken out in this very moment.")
    Registry.objects.filter(pk=registry.pk).update(token_algorithm=key.algorithm)
    registry.token_algorithm = key.algorithm
    key.refresh_from_db(fields=["state", "activated_at"])
    bump_epoch()


def _end(key: SigningKey, state: str) -> None:
    SigningKey.objects.filter(pk=key.pk).update(state=state, retired_at=timezone.now())
    key.refresh_from_db(fields=["state", "retired_at"])
    bump_epoch()


def hold_registry(registry: Registry) -> None:
    """One step at a time. Rows that merely refer to the registry may be written meanwhile: a refusal, a count of tokens."""
    Registry.objects.select_for_update(no_key=True).get(pk=registry.pk)


def _refuse_if(hindrance: str) -> None:
    if hindrance:
        raise Problem(409, "key_state", hindrance)


def _make_key(algorithm: str, registry: Registry) -> KeyMaterial:
    """Before any lock is taken: an RSA key takes its time."""
    if algorithm not in ALGORITHMS:
        choice = " or ".join(ALGORITHMS)
        raise Problem(422, "algorithm", f"{algorithm} is no algorithm that every registry verifies; choose {choice}.")
    return make_key(algorithm, registry.name, timezone.now())


def _facts(row: SigningKey) -> KeyFacts:
    seen = Seen(row.probed_at, row.probe_outcome, row.probe_text) if row.probed_at else None
    return KeyFacts(
        row.pk,
        row.kid,
        row.algorithm,
        row.state,
        row.created_at,
        row.activated_at,
        row.replaced_at,
        row.retired_at,
        seen,
    )
