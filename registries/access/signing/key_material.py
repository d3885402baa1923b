"""Pure: key pairs in the forms that registries read. Distribution 2.8 takes certificates and knows keys by libtrust id, version 3 takes
a JWKS and knows them by the ``kid`` written there; both get the same id."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
ALGORITHMS = ("ES256", "RS256")
RSA_BITS = 2048
CERTIFICATE_LIFE = timedelta(days=3650)


@dataclass(frozen=True)
class KeyMaterial:
    """One key pair, ready to be stored."""

    kid: str
    algorithm: str
    private_pem: str = field(repr=False)
    certificate_pem: str
    public_jwk: dict[str, str]


def make_key(algorithm: str, name: str, now: datetime) -> KeyMaterial:
    """``algorithm``: ES256 or RS256; ``name`` goes into the certificate for people to read."""
    key: PrivateKey
    if algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        raise ValueError(f"{algorithm} is no algorithm that every registry verifies; choose ES256 or RS256.")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kid = libtrust_id(key.public_key())
    return KeyMaterial(
        kid, algorithm, private.decode(), _certificate(key, name, now), _jwk(key.public_key(), kid, algorithm)
    )


def read_private_key(pem: str) -> PrivateKey:
    """Parse a stored key. An RSA key takes 30 ms, so keep what comes back."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, PrivateKey):
        raise TypeError(f"A signing key is {type(key).__name__}; expected EC or RSA.")
    return key


def libtrust_id(key: PublicKey) -> str:
    """The first 30 bytes of the SHA-256 of the public key's DER, in base32, in twelve groups of four."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[place : place + 4] for place in range(0, len(text), 4))


def _jwk(key: PublicKey, kid: str, algorithm: str) -> dict[str, str]:
    shared = {"kid": kid, "alg": algorithm, "use": "sig"}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": _number(point.x, 32), "y": _number(point.y, 32), **shared}
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _number(numbers.n, RSA_BITS // 8), "e": _number(numbers.e, 3), **shared}


def _number(value: int, size: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def _certificate(key: PrivateKey, name: str, now: datetime) -> str:
    """Signed by itself and no authority: whoever trusts it trusts this one key. Registries that go by key id look at no date."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Portreeve token key {name}"[:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
