"""Does the registry send clients to us and trust what we sign? Then its reach becomes enforced; and back again."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from registries.access.adopt.models import Adoption
from registries.access.principals import system_principal
from registries.access.signing.keys import ensure_key
from registries.access.snapshot import current_snapshot
from registries.access.tokens import sign_token
from registries.adapters import look
from registries.oci.challenge import Challenge
from registries.topology.models import Reach, Registry, topology_findings


class CannotCutOverError(ValueError):
    """Something stands against it; the sentence says what, and what to do."""


@dataclass(frozen=True)
class Probe:
    """What the registry itself said."""

    is_good: bool
    text: str


def probe_registry(actor: Actor, adoption: Adoption) -> Probe:
    """Ask the registry as a stranger, then with a token that is good for nothing there; keep what it said. Network, so outside a
    transaction."""
    found = ask_registry(adoption.registry)
    with transaction.atomic():
        adoption.probed_at, adoption.probe_is_good = timezone.now(), found.is_good
        adoption.probe_text = found.text[:500]
        adoption.save(update_fields=["probed_at", "probe_is_good", "probe_text"])
        record(actor, "adoption.probed", adoption, is_good=found.is_good, found=found.text[:500])
    return found


def ask_registry(registry: Registry) -> Probe:
    """The questions alone; nothing is written but the signing key, where there was none."""
    verify, bundle = registry.verify_tls, registry.ca_bundle or None
    stranger = look(registry.base_url, name=registry.name, verify_tls=verify, ca_bundle=bundle)
    if not stranger.health.is_up:
        return Probe(False, stranger.health.message)
    fault = _challenge_fault(registry, stranger.challenge)
    if fault:
        return Probe(False, fault)
    guest = look(
        registry.base_url, name=registry.name, verify_tls=verify, ca_bundle=bundle, token=_empty_token(registry)
    )
    if guest.challenge is not None or not guest.health.is_up:
        text = "it sends clients to the portal but does not take a token the portal has signed: its keys file is not that of this registry, "
        return Probe(False, f"{text}or it was not restarted since. Write it anew and restart the registry")
    return Probe(True, "it sends clients to the portal and takes a token the portal has signed")


def cut_over(actor: Actor, adoption: Adoption) -> None:
    """The portal's word counts there from now on. Asks the registry once more. Raises CannotCutOverError while it does not trust us."""
    found = probe_registry(actor, adoption)
    if not found.is_good:
        raise CannotCutOverError(f"{adoption.registry} is not cut over: {found.text}.")
    with transaction.atomic():
        registry = Registry.objects.select_for_update().get(pk=adoption.registry_id)
        if registry.reach != Reach.ENFORCED:
            adoption.reach_before = registry.reach
        _set_reach(registry, Reach.ENFORCED)
        adoption.cut_over_at, adoption.went_back_at = timezone.now(), None
        adoption.save(update_fields=["reach_before", "cut_over_at", "went_back_at"])
        record(actor, "adoption.cut_over", adoption, reach_before=adoption.reach_before or registry.reach)


def go_back(actor: Actor, adoption: Adoption) -> None:
    """The registry decides by its own again. Robots, logins and rules stay, for the next try. Raises CannotCutOverError where the map
    forbids it."""
    with transaction.atomic():
        registry = Registry.objects.select_for_update().get(pk=adoption.registry_id)
        _set_reach(registry, adoption.reach_before or Reach.OBSERVED)
        adoption.went_back_at = timezone.now()
        adoption.save(update_fields=["went_back_at"])
        record(actor, "adoption.went_back", adoption, reach=registry.reach)


def _set_reach(registry: Registry, reach: str) -> None:
    registry.reach = reach
    fault = topology_findings(registry).get("reach")
    if fault:
        raise CannotCutOverError(fault)
    registry.save(update_fields=["reach"])


def _challenge_fault(registry: Registry, challenge: Challenge | None) -> str:
    """Why it is not ours; empty where it is."""
    realm, service = f"{settings.PORTAL_BASE_URL}/token", registry.service
    if challenge is None:
        return "it lets strangers in without asking anybody: it does not run with the new configuration"
    if challenge.scheme != "bearer":
        return f"it still asks for {challenge.scheme} credentials itself: it does not run with the new configuration"
    asked = challenge.params.get("realm", "")[:200], challenge.params.get("service", "")[:200]
    if asked[0] != realm:
        return f"it sends clients to {asked[0]}, and the portal is {realm}"
    if asked[1] != service:
        return f"it asks for tokens of the service {asked[1]!r}, and in the portal its service is {service!r}"
    return ""


def _empty_token(registry: Registry) -> str:
    """Good to be recognised, and for nothing else."""
    ensure_key(registry)
    snapshot = current_snapshot()
    place, principal = snapshot.place(registry), system_principal("sync")
    return sign_token(snapshot, place, registry.service, principal, (), timezone.now()).text
