"""A key that real registries trust, and tokens made with it (Docker token specification, "JSON Web Token")."""

import base64
import hashlib
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registries.oci.scope import Scope
from registries.oci.tokens import MintedToken

ISSUER, SERVICE = "tests.example", "registry.example"


@dataclass(frozen=True)
class Signer:
    """Gives what is asked, cut down to `allowed` resources when there are any."""

    allowed: frozenset[str] = frozenset()
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    asked: list[tuple[Scope, ...]] = field(default_factory=list)

    @property
    def config(self) -> dict[str, str]:
        return {"realm": "http://127.0.0.1:9/token", "service": SERVICE, "issuer": ISSUER}

    def bundle(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def mint(self, scopes: tuple[Scope, ...]) -> MintedToken:
        self.asked.append(scopes)
        now = int(time.time())
        granted = [scope for scope in scopes if not self.allowed or scope.name in self.allowed]
        claims = {
            "iss": ISSUER,
            "sub": "tests",
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 10,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
            "access": [{"type": s.type, "name": s.name, "actions": sorted(s.actions)} for s in granted],
        }
        token = jwt.encode(claims, self.key, "ES256", headers={"kid": self._kid()})
        return MintedToken(token, time.monotonic() + 300)

    def _kid(self) -> str:
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
        return ":".join(text[place : place + 4] for place in range(0, len(text), 4))
