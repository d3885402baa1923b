"""The name of content: algorithm and hash (image-spec, "Digests")."""

import hashlib
import re
from typing import Self

_LENGTHS = {"sha256": 64, "sha512": 128}
_FORM = re.compile(r"(?a:(sha256|sha512):([0-9a-f]+))")


class InvalidDigest(ValueError):
    pass


class Digest(str):
    """A valid digest, always: building one from bad text raises InvalidDigest."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        match = _FORM.fullmatch(text)
        if match is None or len(match[2]) != _LENGTHS[match[1]]:
            shown = text[:80].encode("unicode_escape").decode()
            raise InvalidDigest(f"“{shown}” is not a digest: expected sha256: and 64 hex digits, or sha512: and 128")
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(text)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Self:
        return cls(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """The first 12 hex digits, for people."""
        return self.encoded[:12]

    @property
    def fallback_tag(self) -> str:
        """The tag that lists referrers where the referrers API is missing (distribution-spec, "Referrers Tag Schema")."""
        return f"{self.algorithm}-{self.encoded[:64]}"

    def matches(self, data: bytes) -> bool:
        return hashlib.new(self.algorithm, data).hexdigest() == self.encoded
