"""The exchange of a registry's key: each step in its turn, none while the registry does not follow."""

from datetime import timedelta

import jwt
import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.actor import Actor
from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from registries.access.models import SigningKey
from registries.access.signing.keys import active_key, bundle_pem, jwks, newest_certificate, signing_key
from registries.access.signing.rotation import (
    abandon_key,
    keys_of,
    probe_key,
    publish_next_key,
    retire_key,
    revoke_key,
    switch_key,
)
from registries.access.signing.rotation_steps import evaluate_rotation
from registries.access.snapshot import current_snapshot
from registries.access.tokens import mint_for_job
from registries.oci.scope import CATALOG
from registries.topology.models import Registry
from tests.fakes.token_registry import TokenRegistry
from tests.registries.access.cast import make_registry

pytestmark = pytest.mark.django_db
ADA = Actor("user", "1", "ada")
Probe, State = SigningKey.Probe, SigningKey.State


@pytest.fixture
def prod(guarded: Registry) -> Registry:
    return guarded


def signer(registry: Registry) -> SigningKey:
    key = active_key(registry)
    assert key is not None
    return key


def stands(registry: Registry) -> str:
    return evaluate_rotation(keys_of(registry), timezone.now()).now


def refusal(step: object) -> str:
    with pytest.raises(Problem) as refused:
        step()  # type: ignore[operator]
    assert refused.value.status in (409, 422)
    return refused.value.detail


def later(registry: Registry, minutes: int) -> None:
    """Time passes: what has happened is longer ago."""
    shift = timedelta(minutes=minutes)
    for key in SigningKey.objects.filter(registry=registry):
        moved = {
            name: getattr(key, name) - shift
            for name in ("created_at", "activated_at", "replaced_at", "retired_at", "probed_at")
            if getattr(key, name)
        }
        SigningKey.objects.filter(pk=key.pk).update(**moved)


def minted_kid(registry: Registry) -> str:
    """The key that signs what is handed out now."""
    token = mint_for_job("sync", registry, [CATALOG]).token
    return str(jwt.get_unverified_header(token)["kid"])


def verbs() -> list[str]:
    return list(AuditEvent.objects.filter(actor_name="ada").order_by("pk").values_list("verb", flat=True))


def test_from_one_key_to_the_next(prod: Registry, door: TokenRegistry) -> None:
    first = signer(prod)
    second = publish_next_key(ADA, prod)
    assert {key["kid"] for key in jwks(prod)["keys"]} == {first.kid, second.kid}
    assert minted_kid(prod) == first.kid
    assert stands(prod) == "restart"

    assert "Nobody has seen yet whether prod trusts the next key" in refusal(lambda: switch_key(ADA, prod))
    found = probe_key(ADA, prod, second)
    assert found.outcome == Probe.REFUSED
    assert "trusts the key that signs now and not yet this one" in found.text
    assert "The last probe of the next key failed" in refusal(lambda: switch_key(ADA, prod))
    assert minted_kid(prod) == first.kid

    door.restart(bundle_pem(prod))
    assert probe_key(ADA, prod, second).outcome == Probe.TRUSTED
    assert stands(prod) == "switch"
    switch_key(ADA, prod)
    assert minted_kid(prod) == second.kid
    first.refresh_from_db()
    assert (first.state, first.replaced_at is not None) == (State.REPLACED, True)
    assert {key["kid"] for key in jwks(prod)["keys"]} == {first.kid, second.kid}

    assert stands(prod) == "wait"
    assert "may be good until" in refusal(lambda: retire_key(ADA, prod, first))
    later(prod, 11)
    assert stands(prod) == "retire"
    assert "Nobody has seen yet whether prod trusts the key that signs" in refusal(lambda: retire_key(ADA, prod, first))
    assert probe_key(ADA, prod, signer(prod)).outcome == Probe.TRUSTED
    retire_key(ADA, prod, first)
    assert [key["kid"] for key in jwks(prod)["keys"]] == [second.kid]

    assert stands(prod) == "confirm"
    first.refresh_from_db()
    assert "still trusts this key" in probe_key(ADA, prod, first).text
    assert stands(prod) == "confirm"
    door.restart(bundle_pem(prod))
    assert probe_key(ADA, prod, first).outcome == Probe.REFUSED
    assert stands(prod) == ""
    probed = "signingkey.probed"
    assert verbs() == [
        "signingkey.published", probed, probed, "signingkey.switched", probed, "signingkey.retired", probed, probed
    ]  # fmt: skip


def test_retiring_waits_for_the_last_token_its_leeway_and_a_margin(prod: Registry, door: TokenRegistry) -> None:
    first, second = signer(prod), publish_next_key(ADA, prod)
    door.restart(bundle_pem(prod))
    probe_key(ADA, prod, second)
    switch_key(ADA, prod)
    later(prod, 9)
    probe_key(ADA, prod, signer(prod))
    assert "Retire it then" in refusal(lambda: retire_key(ADA, prod, first))
    later(prod, 1)
    retire_key(ADA, prod, first)


@pytest.mark.parametrize("minutes", [16, 60])
def test_what_was_seen_long_ago_allows_nothing(prod: Registry, door: TokenRegistry, minutes: int) -> None:
    second = publish_next_key(ADA, prod)
    door.restart(bundle_pem(prod))
    probe_key(ADA, prod, second)
    later(prod, minutes)
    assert "more than 15 minutes ago" in refusal(lambda: switch_key(ADA, prod))
    assert stands(prod) == "probe"
    assert signer(prod).kid != second.kid


def test_a_registry_that_lets_everybody_in_has_verified_nothing(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    door.answer = lambda header: 200
    found = probe_key(ADA, prod, second)
    assert (found.outcome, "200 to a token signed by a stranger" in found.text) == (Probe.UNCHECKED, True)
    assert "lets everybody in" in refusal(lambda: switch_key(ADA, prod))


def test_a_registry_that_looks_at_the_key_id_alone_is_found_out(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    trusted = {second.kid}
    door.answer = lambda header: (
        200 if header and jwt.get_unverified_header(header.split()[-1])["kid"] in trusted else 401
    )
    assert probe_key(ADA, prod, second).outcome == Probe.UNCHECKED


def test_a_registry_that_lets_strangers_in_is_found_out(prod: Registry, door: TokenRegistry) -> None:
    """It refuses bad tokens, and needs none."""
    second = publish_next_key(ADA, prod)
    door.restart(bundle_pem(prod))
    real = TokenRegistry(door.service, door.issuer, keys=door.keys)
    door.answer = lambda header: real.status(header) if header else 200
    found = probe_key(ADA, prod, second)
    assert (found.outcome, "200 to no token at all" in found.text) == (Probe.UNCHECKED, True)


def test_several_servers_behind_one_name_must_all_have_been_restarted(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    old = TokenRegistry(door.service, door.issuer, keys=door.keys)
    new = TokenRegistry(door.service, door.issuer)
    new.restart(bundle_pem(prod))
    turns = iter([new, old, new, old])
    door.answer = lambda header: next(turns).status(header)
    found = probe_key(ADA, prod, second)
    assert found.outcome == Probe.REFUSED
    assert "2 of 3 times: several servers stand behind its name" in found.text
    refusal(lambda: switch_key(ADA, prod))


@pytest.mark.parametrize(
    ("status", "words"), [(500, "failed with status 500"), (404, "not a registry"), (503, "status 503")]
)
def test_a_registry_that_is_down_says_nothing_about_the_key(
    prod: Registry, door: TokenRegistry, status: int, words: str
) -> None:
    second = publish_next_key(ADA, prod)
    door.answer = lambda header: status
    found = probe_key(ADA, prod, second)
    assert (found.outcome, words in found.text) == (Probe.DOWN, True), found.text
    refusal(lambda: switch_key(ADA, prod))


def test_a_registry_that_cannot_be_reached_or_speaks_no_tls(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    for url, words in (("http://127.0.0.1:1", "nothing listens there"), (door.url.replace("http:", "https:"), "TLS")):
        prod.base_url = url
        found = probe_key(ADA, prod, second)
        assert (found.outcome, words in found.text) == (Probe.DOWN, True), found.text


def test_the_token_follows_no_redirect(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    with TokenRegistry(answer=lambda header: 200).running() as elsewhere:
        for there in (f"{elsewhere.url}/v2/", f"{door.url}/v2/again"):
            door.answer, door.location = lambda header: 307, there
            door.seen.clear()
            found = probe_key(ADA, prod, second)
            assert (found.outcome, "redirects to" in found.text) == (Probe.DOWN, True)
            assert len(door.seen) == 3
        assert elsewhere.seen == []


def test_a_registry_with_another_service_refuses_both_keys_and_that_is_said(
    prod: Registry, door: TokenRegistry
) -> None:
    second = publish_next_key(ADA, prod)
    door.restart(bundle_pem(prod))
    door.service = "somebody-else"
    assert "look at service, issuer and clock" in probe_key(ADA, prod, second).text


def test_the_probe_grants_nothing_and_is_nobodys(prod: Registry, door: TokenRegistry) -> None:
    probe_key(ADA, prod, signer(prod))
    tokens = [header.removeprefix("Bearer ") for header in door.seen if header]
    assert len(tokens) == 4
    for token in tokens:
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["access"], claims["sub"], claims["aud"]) == ([], "system:probe", prod.service)
        assert set(jwt.get_unverified_header(token)) == {"alg", "kid", "typ"}


def test_nothing_is_asked_of_the_network_with_a_transaction_open(prod: Registry, door: TokenRegistry) -> None:
    mine, depths = connections["default"], []
    real = TokenRegistry(door.service, door.issuer, keys=door.keys)

    def answer(header: str) -> int:
        depths.append(len(mine.savepoint_ids))
        return real.status(header)

    door.answer, outside = answer, len(mine.savepoint_ids)
    probe_key(ADA, prod, signer(prod))
    assert set(depths) == {outside}
    with transaction.atomic():  # as this test would see it
        probe_key(ADA, prod, signer(prod))
    assert depths[-1] == outside + 1


def test_a_probe_makes_no_process_read_the_policy_anew(prod: Registry) -> None:
    before = current_snapshot().epoch
    probe_key(ADA, prod, signer(prod))
    assert current_snapshot().epoch == before


def test_only_one_next_key(prod: Registry) -> None:
    second = publish_next_key(ADA, prod)
    assert f"The next key {second.kid[:14]} is published already" in refusal(lambda: publish_next_key(ADA, prod))
    abandon_key(ADA, prod)
    assert second.kid not in bundle_pem(prod)
    assert "no next key" in refusal(lambda: abandon_key(ADA, prod))
    assert "Publish one first" in refusal(lambda: switch_key(ADA, prod))
    publish_next_key(ADA, prod)


def test_an_abandoned_key_is_trusted_until_the_registry_is_restarted(prod: Registry, door: TokenRegistry) -> None:
    second = publish_next_key(ADA, prod)
    door.restart(bundle_pem(prod))
    abandon_key(ADA, prod)
    assert stands(prod) == "confirm"
    door.restart(bundle_pem(prod))
    second.refresh_from_db()
    probe_key(ADA, prod, second)
    assert stands(prod) == ""


def test_an_active_or_next_key_is_not_retired(prod: Registry) -> None:
    second = publish_next_key(ADA, prod)
    for key in (signer(prod), second):
        assert "Only a key that another has replaced" in refusal(lambda key=key: retire_key(ADA, prod, key))


@pytest.mark.parametrize(("old", "new"), [("ES256", "RS256"), ("RS256", "ES256")])
def test_the_algorithm_changes_on_the_same_way(door: TokenRegistry, old: str, new: str) -> None:
    registry = make_registry("prod", url=door.url, token_algorithm=old)
    door.service = registry.service
    second = publish_next_key(ADA, registry, new)
    door.restart(bundle_pem(registry))
    assert probe_key(ADA, registry, second).outcome == Probe.TRUSTED
    switch_key(ADA, registry)
    registry.refresh_from_db()
    assert (registry.token_algorithm, signing_key(minted_kid(registry))[0]) == (new, new)
    assert publish_next_key(ADA, registry).algorithm == new


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256", "none", "PS256", "es256"])
def test_algorithms_that_not_every_registry_verifies_are_refused(prod: Registry, algorithm: str) -> None:
    assert "choose ES256 or RS256" in refusal(lambda: publish_next_key(ADA, prod, algorithm))
    assert SigningKey.objects.filter(registry=prod).count() == 1


def test_a_registry_without_a_key_is_told_how_it_gets_one() -> None:
    hub = make_registry("hub", "upstream", reach="observed")
    assert "manage.py registry_config hub makes it" in refusal(lambda: publish_next_key(ADA, hub))
    assert evaluate_rotation(keys_of(hub), timezone.now()).stands == "hub has no key yet."


def test_a_revoked_key_is_gone_at_once_and_the_next_one_takes_over(prod: Registry, door: TokenRegistry) -> None:
    first, second = signer(prod), publish_next_key(ADA, prod)
    assert "Say why" in refusal(lambda: revoke_key(ADA, prod, first, "  "))
    heir = revoke_key(ADA, prod, first, "found in a log")
    assert heir is not None
    assert heir.kid == second.kid == minted_kid(prod)
    assert [key["kid"] for key in jwks(prod)["keys"]] == [second.kid]
    assert [key.kid for key in keys_of(prod).lingering] == [first.kid]
    first.refresh_from_db()
    assert probe_key(ADA, prod, first).outcome == Probe.TRUSTED
    door.restart(bundle_pem(prod))
    assert probe_key(ADA, prod, first).outcome == Probe.REFUSED
    assert keys_of(prod).lingering == ()
    event = AuditEvent.objects.get(verb="signingkey.revoked")
    assert (event.detail["reason"], event.detail["heir"]) == ("found in a log", second.kid)
    assert "revoked already" in refusal(lambda: revoke_key(ADA, prod, first, "again"))


def test_a_revoked_key_without_a_next_one_is_followed_by_a_new_one(prod: Registry) -> None:
    first = signer(prod)
    heir = revoke_key(ADA, prod, first, "found in a log")
    assert heir is not None
    assert (heir.state, minted_kid(prod)) == (State.ACTIVE, heir.kid)
    assert first.kid not in {key["kid"] for key in jwks(prod)["keys"]}


def test_revoking_a_key_that_does_not_sign_changes_nothing_else(prod: Registry) -> None:
    first, second = signer(prod), publish_next_key(ADA, prod)
    assert revoke_key(ADA, prod, second, "the laptop is gone") is None
    assert minted_kid(prod) == first.kid


def test_zot_is_switched_right_after_its_restart(door: TokenRegistry) -> None:
    """It trusts one key at a time, so nothing can be probed before the new one is in force."""
    zot = make_registry("prod", url=door.url, product="zot")
    door.service = zot.service
    door.restart(newest_certificate(zot))
    first, second = signer(zot), publish_next_key(ADA, zot)
    assert newest_certificate(zot) == second.certificate_pem
    assert [step.code for step in evaluate_rotation(keys_of(zot), timezone.now()).steps] == [
        "publish", "restart", "switch", "probe", "retire"
    ]  # fmt: skip
    door.restart(newest_certificate(zot))
    switch_key(ADA, zot)
    assert stands(zot) == "probe"
    assert "Probe it" in refusal(lambda: retire_key(ADA, zot, first))
    assert probe_key(ADA, zot, signer(zot)).outcome == Probe.TRUSTED
    retire_key(ADA, zot, first)
    assert stands(zot) == ""


def test_a_zot_that_was_switched_too_early_is_seen(door: TokenRegistry) -> None:
    zot = make_registry("prod", url=door.url, product="zot")
    door.service = zot.service
    door.restart(newest_certificate(zot))
    publish_next_key(ADA, zot)
    switch_key(ADA, zot)
    assert probe_key(ADA, zot, signer(zot)).outcome == Probe.REFUSED
    first = SigningKey.objects.get(registry=zot, state=State.REPLACED)
    assert "The last probe of the key that signs failed" in refusal(lambda: retire_key(ADA, zot, first))


def test_no_step_reads_or_shows_a_private_half(prod: Registry) -> None:
    publish_next_key(ADA, prod)
    with CaptureQueriesContext(connection) as queries:
        keys_of(prod)
    assert not any("private_pem" in query["sql"] for query in queries)
    assert "private" not in repr(keys_of(prod)).lower()
    assert "PRIVATE" not in str(list(AuditEvent.objects.values_list("detail", flat=True)))
