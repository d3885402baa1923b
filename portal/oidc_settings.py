"""Which identity providers may people come from? Read once at the start: one from ``PORTAL_OIDC_*``, or several from a file.

Everything is refused that would only fail, or be ignored, when somebody signs in."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from portal.env import BadEnvironmentError, Environment
from portal.issuer_address import address_fault

ONE: Final = "oidc"  # the key of the provider that comes from the environment
PREFIX: Final = "PORTAL_OIDC_"
ROLES: Final = ("platform_admin", "security", "release_manager", "auditor")
TEXTS: Final = ("issuer", "client_id", "client_secret", "client_secret_file", "title", "groups_claim", "group_prefix")
LISTS: Final = ("scopes", "required_groups")
FLAGS: Final = ("join_by_email", "second_factor")
KEYS: Final = {*TEXTS, *LISTS, *FLAGS, "session_hours", "roles"}


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """One identity provider. ``key`` is kept with each person who comes from there and must stay as it is."""

    key: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    title: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    group_prefix: str = ""  # put before each group this provider names, so that two providers never mean the same one
    required_groups: tuple[str, ...] = ()
    role_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    join_by_email: bool = False
    second_factor: bool = False  # it asks for one itself
    session_hours: int = 12


def read_providers(environment: Environment) -> dict[str, OidcProvider]:
    """By their keys, in the order they are offered. Raises BadEnvironmentError."""
    path = environment.text(f"{PREFIX}FILE", "")
    if not path:
        if environment.text(f"{PREFIX}ISSUER", ""):
            return {ONE: _provider(ONE, _told(environment), PREFIX + "ISSUER")}
        _refuse(_given(environment), f"is set, but {PREFIX}ISSUER is not, so there is no provider it could be about.")
        return {}
    _refuse(_given(environment), f"and {PREFIX}FILE are both set; several providers are told in the file alone.")
    found = {key: _provider(key, told, path) for key, told in _opened(Path(path)).items()}
    prefixes = [provider.group_prefix for provider in found.values() if provider.groups_claim]
    if len(set(prefixes)) < len(prefixes):
        raise BadEnvironmentError(
            f"{path}: two providers name groups with the same group_prefix, so that each could say who is in the teams of the other. "
            'Give all but one a prefix of its own, such as group_prefix = "partner:".'
        )
    return found


def only_by_oidc(environment: Environment, providers: Mapping[str, OidcProvider], break_glass: list[str]) -> bool:
    """Whether people come in by a provider alone. Refused without somebody who can still come in while no provider answers."""
    is_only = environment.flag(f"{PREFIX}ONLY", default=False)
    if is_only and not providers:
        raise BadEnvironmentError(f"{PREFIX}ONLY is yes, but there is no provider; set {PREFIX}ISSUER or {PREFIX}FILE.")
    if is_only and not break_glass:
        raise BadEnvironmentError(
            f"{PREFIX}ONLY is yes, but PORTAL_BREAK_GLASS names nobody who may use a password while the provider is down."
        )
    return is_only


def _given(environment: Environment) -> list[str]:
    others = {f"{PREFIX}FILE", f"{PREFIX}ONLY"}
    return sorted(name for name in environment.values if name.startswith(PREFIX) and name not in others)


def _refuse(names: list[str], why: str) -> None:
    if names:
        raise BadEnvironmentError(f"{names[0]} {why}")


def _told(environment: Environment) -> dict[str, Any]:
    """The one provider of the environment, in the words of the file."""
    told: dict[str, Any] = {
        "client_secret": environment.secret(f"{PREFIX}CLIENT_SECRET", ""),
        "session_hours": environment.number(f"{PREFIX}SESSION_HOURS", 12),
    }
    for name in ("issuer", "client_id", "title", "groups_claim"):
        if (value := environment.text(PREFIX + name.upper(), "")) or name == "client_id":
            told[name] = value
    for name in LISTS:
        if words := environment.words(PREFIX + name.upper()):
            told[name] = words
    for name in FLAGS:
        told[name] = environment.flag(PREFIX + name.upper(), default=False)
    roles: dict[str, list[str]] = {}
    for word in environment.words(f"{PREFIX}ROLE_GROUPS"):
        role, sign, group = word.partition("=")
        if not sign or not group:
            raise BadEnvironmentError(f"{PREFIX}ROLE_GROUPS has {word!r}; expected role=group, such as auditor=audit.")
        roles.setdefault(role.strip(), []).append(group.strip())
    told["roles"] = roles
    return told


def _opened(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise BadEnvironmentError(f"{PREFIX}FILE names {path}, which cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadEnvironmentError(f"{path} is no TOML: {error}") from error
    for key, told in found.items():
        if not isinstance(told, dict) or not key.isascii() or not key.replace("-", "").isalnum() or key != key.lower():
            raise BadEnvironmentError(
                f"{path}: {key} is no table; write one [name] for each provider, in small letters."
            )
    if not found:
        raise BadEnvironmentError(f"{path} names no provider.")
    return found


def _provider(key: str, told: dict[str, Any], where: str) -> OidcProvider:
    strange = sorted(set(told) - KEYS)
    if strange:
        raise BadEnvironmentError(f"{where}, {key}: unknown {strange[0]}; known are {', '.join(sorted(KEYS))}.")
    kept: dict[str, Any] = {name: _checked(name, value, f"{where}, {key}") for name, value in told.items()}
    kept["client_secret"] = _secret(kept, f"{where}, {key}")
    kept["role_groups"] = kept.pop("roles", {})
    issuer, client = kept.get("issuer", ""), kept.get("client_id", "")
    if fault := address_fault(issuer):
        raise BadEnvironmentError(f"{where}, {key}: the issuer is {issuer!r}. {fault}")
    if not client:
        raise BadEnvironmentError(f"{where}, {key}: client_id is not set; the provider gives it to each application.")
    if (kept.get("required_groups") or kept["role_groups"]) and not kept.get("groups_claim", "groups"):
        raise BadEnvironmentError(f"{where}, {key}: groups are asked for, but groups_claim is empty.")
    kept["title"] = kept.get("title") or urlsplit(issuer).hostname
    if "openid" not in kept.get("scopes", ("openid",)):
        raise BadEnvironmentError(f"{where}, {key}: scopes must have openid among them.")
    if not kept.get("session_hours", 12):
        raise BadEnvironmentError(f"{where}, {key}: session_hours must be one or more.")
    return OidcProvider(key=key, **kept)


def _secret(kept: dict[str, Any], where: str) -> str:
    path, given = kept.pop("client_secret_file", ""), str(kept.get("client_secret", ""))
    if not path:
        return given
    if given:
        raise BadEnvironmentError(f"{where}: client_secret and client_secret_file are both set; give one of them.")
    return Environment({f"{PREFIX}CLIENT_SECRET_FILE": str(path)}).secret(f"{PREFIX}CLIENT_SECRET")


def _checked(name: str, value: Any, where: str) -> Any:
    if name in TEXTS and isinstance(value, str):
        return value.strip()
    if name in FLAGS and isinstance(value, bool):
        return value
    if name == "session_hours" and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if name in LISTS and _are_texts(value):
        return tuple(value)
    if name == "roles" and isinstance(value, dict):
        for role, groups in value.items():
            if role not in ROLES or not _are_texts(groups):
                raise BadEnvironmentError(
                    f"{where}: roles has {role!r}; expected {' or '.join(ROLES)} with a list of groups."
                )
        return {role: tuple(groups) for role, groups in value.items()}
    raise BadEnvironmentError(f"{where}: {name} is {value!r}, which is not what it takes.")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
