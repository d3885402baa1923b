"""Keys of registries: ids that both versions of Distribution know, and public halves that anybody may fetch."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from registries.access.models import SigningKey
from registries.access.signing.key_material import libtrust_id, make_key, read_private_key
from registries.access.signing.keys import active_key, bundle_pem, ensure_key, jwks, newest_certificate, store_key
from tests.registries.access.cast import make_registry

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_key_id_of_the_published_example() -> None:
    x = int.from_bytes(bytes.fromhex("9bbcd4a71ddbfb3995139732992b3ae0f386f5073212925a6020fcdbee78f7f4"))
    y = int.from_bytes(bytes.fromhex("754ddb8b3f2c67ff063c1fa8766f16c73de5343af5c5c01040f41a39caf57e67"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert libtrust_id(key) == "PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6"


@pytest.mark.parametrize(("algorithm", "kind"), [("ES256", "EC"), ("RS256", "RSA")])
def test_a_key_says_the_same_in_all_its_forms(algorithm: str, kind: str) -> None:
    made = make_key(algorithm, "prod", NOW)
    certificate = x509.load_pem_x509_certificate(made.certificate_pem.encode())
    assert libtrust_id(certificate.public_key()) == made.kid  # type: ignore[arg-type]
    assert libtrust_id(read_private_key(made.private_pem).public_key()) == made.kid
    assert (made.public_jwk["kid"], made.public_jwk["kty"], made.public_jwk["alg"]) == (made.kid, kind, algorithm)
    assert not {"d", "p", "q"} & set(made.public_jwk)
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert limits.ca is False


def test_algorithms_that_some_registry_cannot_verify_are_refused() -> None:
    for algorithm in ("EdDSA", "HS256", "none", "PS256"):
        with pytest.raises(ValueError, match="choose ES256 or RS256"):
            make_key(algorithm, "prod", NOW)


@pytest.mark.django_db
def test_public_halves_are_for_everybody(client: Client) -> None:
    prod = make_registry("prod")
    bundle, key_set = client.get("/keys/prod/bundle.pem"), client.get("/keys/prod/jwks.json")
    assert bundle.content.decode() == bundle_pem(prod)
    assert key_set.json() == jwks(prod)
    newest = client.get("/keys/prod/newest.pem")
    assert newest.content.decode() == newest_certificate(prod)
    assert b"PRIVATE" not in bundle.content + key_set.content + newest.content
    assert client.post("/keys/prod/bundle.pem").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nowhere", "hub"])
def test_where_there_is_no_key_there_is_no_bundle(client: Client, name: str) -> None:
    make_registry("hub", "upstream", reach="observed")
    for file in ("bundle.pem", "jwks.json", "newest.pem"):
        assert client.get(f"/keys/{name}/{file}").status_code == 404


@pytest.mark.django_db
def test_published_keys_are_trusted_beside_the_active_one_and_retired_ones_are_not() -> None:
    prod = make_registry("prod")
    first = active_key(prod)
    assert first is not None
    SigningKey.objects.filter(pk=first.pk).update(state=SigningKey.State.PUBLISHED)
    second = ensure_key(prod)
    assert [entry["kid"] for entry in jwks(prod)["keys"]] == [second.kid, first.kid]
    SigningKey.objects.filter(pk=first.pk).update(state=SigningKey.State.RETIRED)
    assert [entry["kid"] for entry in jwks(prod)["keys"]] == [second.kid]


@pytest.mark.django_db
def test_whoever_trusts_one_key_gets_the_next_one_as_soon_as_there_is_one() -> None:
    prod = make_registry("prod")
    first = active_key(prod)
    assert first is not None
    assert newest_certificate(prod) == first.certificate_pem
    second = store_key(prod, make_key("RS256", "prod", NOW), SigningKey.State.PUBLISHED)
    assert newest_certificate(prod) == second.certificate_pem
    assert newest_certificate(make_registry("hub", "upstream", reach="observed")) == ""


@pytest.mark.django_db
def test_no_two_registries_share_a_key() -> None:
    names = ("prod", "archive", "sandbox")
    kids = {jwks(make_registry(name))["keys"][0]["kid"] for name in names}
    assert len(kids) == len(names)
