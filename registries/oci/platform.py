"""What an image runs on."""

import re
from dataclasses import dataclass

_PART = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class InvalidPlatform(ValueError):
    pass


@dataclass(frozen=True, order=True)
class Platform:
    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def is_unknown(self) -> bool:
        return "unknown" in (self.os, self.architecture)

    @classmethod
    def parse(cls, text: str) -> "Platform":
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(_PART.fullmatch(part) for part in parts):
            shown = text[:80].encode("unicode_escape").decode()
            raise InvalidPlatform(f"“{shown}” is not a platform: expected os/architecture or os/architecture/variant")
        return cls(*parts)
