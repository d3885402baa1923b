"""Tokens that nobody of ours signed, shown to real registries that run by the printed configuration."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone
from pytest_django import Settings

from portal.demo.ports import Ports
from portal.demo.processes import Processes
from registries.access.models import SigningKey
from registries.access.signing.key_material import make_key, read_private_key
from registries.access.signing.key_probe import token_of
from registries.access.signing.keys import active_key, bundle_pem, ensure_key, signing_key, store_key
from registries.access.tokens import BACKDATE_SECONDS, claims_of, mint_for_job
from registries.oci.scope import CATALOG, Scope
from registries.topology.models import Registry
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_registry
from tests.registries.access.live import LivePortal, World
from tests.registries.access.signing.test_live_rotation import MAKES, Harbour, need

pytestmark = pytest.mark.django_db(transaction=True)
SCOPE = Scope.repository("alice/app", "pull")


@pytest.fixture
def world(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> World:
    """Nobody asks for a token here, so the portal that the registries name does not run."""
    portal = LivePortal(processes, ports.take())
    settings.PORTAL_BASE_URL = portal.url
    return World(portal, start_registry, tmp_path)


def key_of(registry: Registry) -> SigningKey:
    key = active_key(registry)
    assert key is not None
    return key


def claims(registry: Registry, **other: Any) -> dict[str, Any]:
    return claims_of("alice", registry.service, [SCOPE], timezone.now()) | other


def forgeries(registry: Registry) -> Iterator[tuple[str, str]]:
    """What the trick is, and the token."""
    kid, mine = key_of(registry).kid, make_key("ES256", "attacker", timezone.now())
    key, said = read_private_key(mine.private_pem), claims(registry)
    certificate = x509.load_pem_x509_certificate(mine.certificate_pem.encode()).public_bytes(Encoding.DER)
    jwk = {name: value for name, value in mine.public_jwk.items() if name != "kid"}
    headers: dict[str, dict[str, Any]] = {
        "the trusted id, another key": {"kid": kid},
        "the attacker's key in the header, under the trusted id (CVE-2025-24976)": {"kid": kid, "jwk": jwk},
        "the same, with the id inside the key": {"kid": kid, "jwk": jwk | {"kid": kid}},
        "the attacker's key alone": {"jwk": jwk},
        "the attacker's own certificate": {"x5c": [base64.b64encode(certificate).decode()]},
        "the certificate beside the trusted id": {"kid": kid, "x5c": [base64.b64encode(certificate).decode()]},
        "an address to fetch the key from": {"kid": kid, "jku": "http://127.0.0.1:9/jwks.json"},
        "the attacker's id": {"kid": mine.kid},
        "a path as the id": {"kid": "../../../../dev/null"},
    }
    for trick, header in headers.items():
        yield trick, jwt.encode(said, key, "ES256", headers=header)
    yield "no signature", _token({"alg": "none", "kid": kid}, said, "")
    public = x509.load_pem_x509_certificate(bundle_pem(registry).encode()).public_key()
    for secret in (
        bundle_pem(registry).encode(),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        b"",
    ):
        yield "the public key as a shared secret", _hmac_token(said, secret, kid)
    yield "a signature cut off", token_of(registry, kid).rpartition(".")[0] + "."
    head, _, signature = token_of(registry, kid).split(".")
    wider = json.dumps(claims(registry, access=[{"type": "repository", "name": "a", "actions": ["push"]}])).encode()
    yield "claims exchanged under a true signature", f"{head}.{_b64(wider)}.{signature}"


def _token(head: dict[str, str], said: dict[str, Any], signature: str) -> str:
    """By hand: the library makes no token without a signature, and takes no public key for a secret."""
    return f"{_b64(json.dumps({'typ': 'JWT', **head}).encode())}.{_b64(json.dumps(said).encode())}.{signature}"


def _hmac_token(said: dict[str, Any], secret: bytes, kid: str) -> str:
    signed = _token({"alg": "HS256", "kid": kid}, said, "")[:-1]
    return f"{signed}.{_b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("make", MAKES)
def test_a_forged_token_opens_no_registry(world: World, make: str, algorithm: str) -> None:
    need(make)
    harbour = Harbour(world, make, token_algorithm=algorithm)
    assert harbour.takes(token_of(harbour.row, key_of(harbour.row).kid))
    taken = [trick for trick, token in forgeries(harbour.row) if harbour.takes(token)]
    assert not taken


@pytest.mark.parametrize("make", MAKES)
def test_the_key_of_one_registry_opens_no_other(world: World, make: str) -> None:
    """All that keeps zot apart from its neighbours, for it looks at neither audience nor issuer."""
    need(make)
    sandbox, other = Harbour(world, make), make_registry("prod")
    algorithm, key = signing_key(key_of(other).kid)
    said = claims(sandbox.row)
    for kid in (key_of(other).kid, key_of(sandbox.row).kid):
        assert not sandbox.takes(jwt.encode(said, key, algorithm, headers={"kid": kid}))


@pytest.mark.parametrize("make", ["2.8", "3"])
def test_what_is_meant_for_another_audience_or_said_by_another_issuer_is_refused(world: World, make: str) -> None:
    need(make)
    harbour = Harbour(world, make)
    kid = key_of(harbour.row).kid
    algorithm, key = signing_key(kid)
    ago = int((timezone.now() - timedelta(seconds=62)).timestamp())
    for other in ({"aud": "prod.example:5000"}, {"iss": "somebody.example"}, {"exp": ago}):
        assert not harbour.takes(jwt.encode(claims(harbour.row, **other), key, algorithm, headers={"kid": kid}))


@pytest.mark.parametrize(
    ("make", "ahead", "is_taken"), [("2.8", 8, True), ("3", 8, True), ("zot", 8, True), ("zot", 40, False)]
)
def test_a_portal_whose_clock_is_a_little_fast_is_understood(
    world: World, make: str, ahead: int, is_taken: bool
) -> None:
    """zot takes nothing from the future, so what we say of the beginning lies ten seconds back."""
    need(make)
    harbour = Harbour(world, make)
    kid = key_of(harbour.row).kid
    algorithm, key = signing_key(kid)
    said = claims_of("alice", harbour.row.service, (), timezone.now() + timedelta(seconds=ahead))
    assert harbour.takes(jwt.encode(said, key, algorithm, headers={"kid": kid})) == is_taken


@pytest.mark.parametrize("make", ["2.8", "zot"])
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_key_whose_certificate_has_ended_goes_on(world: World, make: str, algorithm: str) -> None:
    """Registries that go by key id, or by the one key, look at no date."""
    need(make)
    registry = make_registry("sandbox", reach="observed")
    old = make_key(algorithm, "sandbox", datetime(2000, 1, 1, tzinfo=UTC))
    store_key(registry, old, SigningKey.State.ACTIVE, activated_at=timezone.now())
    ended = x509.load_pem_x509_certificate(bundle_pem(registry).encode())
    assert ended.not_valid_after_utc < timezone.now()
    port = world.start.take_port()
    Registry.objects.filter(pk=registry.pk).update(
        base_url=f"http://127.0.0.1:{port}", reach="enforced", product="zot" if make == "zot" else "distribution"
    )
    harbour = Harbour(world, make, "sandbox", port)
    assert harbour.takes(token_of(harbour.row, old.kid))


def test_our_tokens_carry_an_id_and_no_key() -> None:
    """With x5c a key set of Distribution 3 would not be looked at, and any leaf of a trusted authority could sign."""
    prod = make_registry("prod")
    token = mint_for_job("sync", prod, [CATALOG]).token
    assert set(jwt.get_unverified_header(token)) == {"alg", "kid", "typ"}
    said = jwt.decode(token, options={"verify_signature": False})
    assert said["nbf"] == said["iat"] == said["exp"] - 300 - BACKDATE_SECONDS
    assert all(type(said[name]) is int for name in ("iat", "nbf", "exp"))
    assert type(said["aud"]) is str


def test_a_certificate_of_ours_signs_nothing_but_itself() -> None:
    made = make_key("ES256", "prod", timezone.now())
    certificate = x509.load_pem_x509_certificate(made.certificate_pem.encode())
    assert certificate.issuer == certificate.subject
    certificate.verify_directly_issued_by(certificate)
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.value.ca, limits.critical) == (False, True)


def test_the_first_key_is_of_the_algorithm_the_registry_is_set_to() -> None:
    assert ensure_key(make_registry("prod")).algorithm == "ES256"
    assert ensure_key(make_registry("archive", token_algorithm="RS256")).algorithm == "RS256"
