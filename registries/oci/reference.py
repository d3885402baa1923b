"""Names as people write them: registry/repository:tag@digest (distribution-spec, "Pulling manifests")."""

import re
from dataclasses import dataclass

from registries.oci.digest import Digest, InvalidDigest

MAX_REPOSITORY_BYTES = 255
MAX_TAG_CHARACTERS = 128
DOCKER_HUB = "docker.io"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)
_HOST_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?", re.ASCII)


class InvalidReference(ValueError):
    pass


@dataclass(frozen=True)
class Reference:
    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def is_repository(name: str) -> bool:
    return len(name) <= MAX_REPOSITORY_BYTES and _REPOSITORY.fullmatch(name) is not None


def is_tag(name: str) -> bool:
    return _TAG.fullmatch(name) is not None


def is_registry(host: str) -> bool:
    """Whether this can stand before the slash: a name or an address, with a port or without."""
    return _REGISTRY.fullmatch(host) is not None


def parse_reference(text: str) -> Reference:
    """Split a full reference; a name without a registry means Docker Hub, as with the docker command.

    Neither tag nor digest is made up: both stay None when absent.
    """
    rest, digest = _split_digest(text)
    rest, tag = _split_tag(rest, text)
    registry, repository = _split_registry(rest)
    if not is_registry(registry):
        raise InvalidReference(f"“{_shown(text)}”: “{_shown(registry)}” is not the address of a registry")
    if not is_repository(repository):
        raise InvalidReference(
            f"“{_shown(text)}”: “{_shown(repository)}” is not a repository name; use lower-case letters, digits and "
            "single separators . _ __ - between them, parts joined by /, 255 characters at most"
        )
    return Reference(registry, repository, tag, digest)


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, digest = text.partition("@")
    if not at:
        return rest, None
    try:
        return rest, Digest.parse(digest)
    except InvalidDigest as error:
        raise InvalidReference(f"“{_shown(text)}”: {error}") from error


def _split_tag(rest: str, text: str) -> tuple[str, str | None]:
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        return rest, None
    if not is_tag(tag):
        raise InvalidReference(
            f"“{_shown(text)}”: “{_shown(tag)}” is not a tag; use up to 128 letters, digits, . _ and -, not starting with . or -"
        )
    return head, tag


def _split_registry(rest: str) -> tuple[str, str]:
    first, slash, repository = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return first, repository
    return DOCKER_HUB, rest if slash else f"library/{rest}"


def _shown(text: str) -> str:
    return text[:120].encode("unicode_escape").decode()
