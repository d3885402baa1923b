"""What does a 401 ask for? The WWW-Authenticate header (RFC 9110, section 11.6.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_HEADER_BYTES = 16 * 1024

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = re.compile(rf'\s*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))\s*(?:,|$)')
_SCHEME = re.compile(rf"[\s,]*({_WORD})(?=\s|,|$)")
_OPAQUE = re.compile(r"\s+[A-Za-z0-9._~+/-]+=*\s*(?:,|$)")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Challenge:
    """`scheme` is lower case. `origin` is the address that asked, so that a realm can be held against it."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict, hash=False)
    origin: str = ""


def parse_challenge(header: str, origin: str = "") -> list[Challenge]:
    """All challenges of one header, in order; what cannot be read ends the list.

    Some registries repeat `scope`: the values are joined by a space, as if it had been one.
    """
    challenges: list[Challenge] = []
    position, header = 0, header[:MAX_HEADER_BYTES]
    while match := _SCHEME.match(header, position):
        params, position = _parameters(header, match.end())
        challenges.append(Challenge(match[1].lower(), params, origin))
    return challenges


def _parameters(header: str, position: int) -> tuple[dict[str, str], int]:
    params: dict[str, str] = {}
    while match := _PARAMETER.match(header, position):
        name = match[1].lower()
        value = _ESCAPE.sub(r"\1", match[2]) if match[2] is not None else match[3]
        params[name] = f"{params[name]} {value}" if name == "scope" and name in params else value
        position = match.end()
    if not params and (opaque := _OPAQUE.match(header, position)):
        position = opaque.end()
    return params, position
