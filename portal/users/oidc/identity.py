"""Pure: who is it, as the provider tells it? Claims in, one value out; what is not understood is not there."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from portal.oidc_settings import OidcProvider


@dataclass(frozen=True, slots=True)
class Identity:
    """``groups`` is None where they are unknown, which is not the same as none; ``groups_fault`` then says why."""

    provider: OidcProvider
    subject: str
    email: str
    is_email_proved: bool
    names: tuple[str, ...]  # from which a user name can be made, the best first
    first_name: str
    last_name: str
    groups: frozenset[str] | None
    groups_fault: str = ""

    @property
    def uid(self) -> str:
        """The same for ever for this person at this issuer, and for nobody else; of one length, whatever a subject looks like."""
        return hashlib.sha256(f"{self.provider.issuer}\0{self.subject}".encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def shown(self) -> dict[str, Any]:
        """What is kept of it, for people who look at the account later."""
        name = self.names[0] if self.names else self.subject
        return {
            "iss": self.provider.issuer,
            "sub": printable(self.subject),
            "preferred_username": name,
            "email": self.email,
        }


def read_identity(provider: OidcProvider, claims: Mapping[str, Any]) -> Identity:
    """``claims`` are those of a verified token, with what userinfo adds."""
    email = _email(claims.get("email"))
    groups, fault = read_groups(provider, claims)
    names = (_text(claims, "preferred_username"), email.partition("@")[0], _text(claims, "name"))
    proved = claims.get("email_verified")
    whole = _text(claims, "name").partition(" ")
    return Identity(
        provider=provider,
        subject=str(claims["sub"]),
        email=email,
        is_email_proved=bool(email) and (proved is True or proved == "true"),  # some providers write even this as text
        names=tuple(name for name in names if name),
        first_name=_text(claims, "given_name") or whole[0],
        last_name=_text(claims, "family_name") or whole[2],
        groups=groups,
        groups_fault=fault,
    )


def read_groups(provider: OidcProvider, claims: Mapping[str, Any]) -> tuple[frozenset[str] | None, str]:
    """Groups with the provider's prefix, or None and why they are unknown. A text is no list: whether it is one name or several, nobody can say."""
    if not provider.groups_claim:
        return None, "No claim with groups is configured."
    value = claim_at(claims, provider.groups_claim)
    if value is None:
        return None, f"The token has no claim {provider.groups_claim}."
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None, f"The claim {provider.groups_claim} is no list of names."
    return frozenset(provider.group_prefix + each for each in value if each), ""


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path with dots into objects, such as ``realm_access.roles``."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def printable(text: str) -> str:
    """Without what databases and terminals stumble over."""
    return "".join(letter for letter in text if letter.isprintable()).encode("utf-8", "ignore").decode()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return printable(value).strip()[:150] if isinstance(value, str) else ""


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 254:
        return ""
    try:
        validate_email(value)
    except ValidationError:
        return ""
    return value.lower()
