"""The admin's page for the keys of one registry: how far their exchange is, what to do next, what stands in the way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from portal.actor import Actor
from portal.http.problem import Problem
from registries.access.models import SigningKey
from registries.access.signing.key_material import ALGORITHMS
from registries.access.signing.keys import ensure_key
from registries.access.signing.registry_config import BUNDLE, DEFAULT_KEYS_DIR, KEY_SET, ONE_KEY
from registries.access.signing.rotation import (
    abandon_key,
    keys_of,
    probe_key,
    publish_next_key,
    retire_key,
    revoke_key,
    switch_key,
)
from registries.access.signing.rotation_rules import (
    KeyFacts,
    Keys,
    why_not_abandon,
    why_not_publish,
    why_not_retire,
    why_not_revoke,
    why_not_switch,
)
from registries.access.signing.rotation_steps import evaluate_rotation
from registries.topology.models import Registry

SHOWN = 12


@dataclass(frozen=True)
class KeyRow:
    """One key in the table: what may be done with it, and why not."""

    facts: KeyFacts
    state: str
    why_not_retire: str
    is_lingering: bool
    can_revoke: bool


@dataclass(frozen=True)
class Recipe:
    """How a server of one make gets the new file."""

    make: str
    command: str
    note: str = ""


@never_cache
def rotation_page(request: HttpRequest, pk: int, may_act: bool, context: dict[str, Any]) -> HttpResponseBase:
    """GET shows, from rows alone; POST takes one step and leads back here."""
    registry = get_object_or_404(Registry.objects.select_related("zone"), pk=pk)
    if request.method == "POST":
        if not may_act:
            raise PermissionDenied("Keys are exchanged by platform admins. Ask one of them.")
        _take_step(request, registry)
        return redirect("admin:access_signingkey_rotation", pk)
    context |= rotation_context(registry) | {"may_act": may_act, "title": f"Keys of {registry}"}
    return render(request, "admin/access/rotation.html", context)


def rotation_context(registry: Registry) -> dict[str, Any]:
    """What the page shows."""
    now, keys = timezone.now(), keys_of(registry)
    return {
        "registry": registry,
        "keys": keys,
        "rotation": evaluate_rotation(keys, now),
        "rows": [_row(keys, key, now) for key in _shown(keys)],
        "danger": [key for key in keys.lingering if key.state == "revoked"],
        "why_not": {
            "publish": why_not_publish(keys),
            "switch": why_not_switch(keys, now),
            "abandon": why_not_abandon(keys),
        },
        "algorithms": ALGORITHMS,
        "recipes": recipes(registry),
        "config_command": f"manage.py registry_config {registry.name} --keys-dir {DEFAULT_KEYS_DIR}",
        "registry_url": reverse("admin:topology_registry_change", args=[registry.pk]),
        "record_url": f"{reverse('admin:audit_auditevent_changelist')}?q=signingkey",
    }


def recipes(registry: Registry) -> list[Recipe]:
    """Commands for the makes that the registry may be of; the portal knows the make and not the version."""
    several = [
        Recipe("Distribution 2.8", _fetch(registry, "bundle.pem", BUNDLE) + " && systemctl restart docker-registry"),
        Recipe(
            "Distribution 3",
            _fetch(registry, "jwks.json", KEY_SET) + " && systemctl restart registry",
            "When the algorithm changes, write config.yml again as well: signingalgorithms lists those that are trusted.",
        ),
    ]
    one = Recipe(
        "zot",
        _fetch(registry, "newest.pem", ONE_KEY) + " && systemctl restart zot",
        "It trusts one key at a time: from this restart until the switch it takes no token of the key that signs now.",
    )
    if registry.product == "zot":
        return [one]
    return several if registry.product == "distribution" else [*several, one]


def _fetch(registry: Registry, name: str, file: str) -> str:
    address = f"{settings.PORTAL_BASE_URL}/keys/{registry.name}/{name}"
    return f"curl --fail --silent --show-error --output {DEFAULT_KEYS_DIR}/{file} {address}"


def _shown(keys: Keys) -> list[KeyFacts]:
    """All that registries may trust, the newest first; of those that are over, the last few."""
    over = [key for key in keys.all if key.is_out and key not in keys.lingering]
    rest = [key for key in keys.all if key not in over]
    return [*reversed(rest), *list(reversed(over))[:SHOWN]]


def _row(keys: Keys, key: KeyFacts, now: datetime) -> KeyRow:
    state = "abandoned" if key.state == "retired" and key.activated_at is None else key.state
    hindrance = why_not_retire(keys, key, now) if key.state == "replaced" else ""
    return KeyRow(key, state, hindrance, key in keys.lingering, not why_not_revoke(key))


def _take_step(request: HttpRequest, registry: Registry) -> None:
    user: Any = request.user
    try:
        level, text = _step(user.actor, registry, request.POST)
    except Problem as problem:
        level, text = messages.ERROR, problem.detail
    messages.add_message(request, level, text)


def _step(actor: Actor, registry: Registry, asked: Any) -> tuple[int, str]:
    step = asked.get("step", "")
    if step == "first":
        return messages.SUCCESS, f"{ensure_key(registry, actor).kid[:14]} signs for {registry}."
    if step == "publish":
        key = publish_next_key(actor, registry, asked.get("algorithm", ""))
        return messages.SUCCESS, f"{key.kid[:14]} is published. Give {registry} the new file and restart it."
    if step == "switch":
        return messages.SUCCESS, f"{switch_key(actor, registry).kid[:14]} signs for {registry} from now on."
    if step == "abandon":
        return messages.SUCCESS, f"{abandon_key(actor, registry).kid[:14]} is out of the files. It has signed nothing."
    if step not in ("probe", "retire", "revoke"):
        raise Problem(422, "step", "There is no such step.")
    chosen = _key(registry, asked.get("key", ""))
    if step == "probe":
        return _probed(actor, registry, chosen)
    if step == "retire":
        retire_key(actor, registry, chosen)
        return messages.SUCCESS, f"{chosen.kid[:14]} is out of the files. {registry} trusts it until its next restart."
    return _revoked(actor, registry, chosen, asked.get("reason", ""))


def _probed(actor: Actor, registry: Registry, key: SigningKey) -> tuple[int, str]:
    found = probe_key(actor, registry, key)
    is_out = key.state in (SigningKey.State.RETIRED, SigningKey.State.REVOKED)
    wanted = SigningKey.Probe.REFUSED if is_out else SigningKey.Probe.TRUSTED
    return (messages.SUCCESS if found.outcome == wanted else messages.WARNING), found.text


def _revoked(actor: Actor, registry: Registry, key: SigningKey, reason: str) -> tuple[int, str]:
    heir = revoke_key(actor, registry, key, reason)
    text = f"{key.kid[:14]} is out of the files. {registry} trusts it until it is restarted: give it the new file and restart it now."
    if heir is not None:
        text += f" {heir.kid[:14]} signs from now on; without that restart nobody can log in."
    return messages.WARNING, text


def _key(registry: Registry, text: str) -> SigningKey:
    """Of this registry and no other, whatever was sent."""
    found = (
        SigningKey.objects.defer("private_pem").filter(registry=registry, pk=text if text.isdecimal() else 0).first()
    )
    if found is None:
        raise Problem(404, "no_key", f"{registry} has no such key.")
    return found
