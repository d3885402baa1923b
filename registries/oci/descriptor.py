"""A pointer to content: what it is, its digest, its size (image-spec, "OCI Content Descriptors")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registries.oci.digest import Digest
from registries.oci.platform import Platform


@dataclass(frozen=True)
class Descriptor:
    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    urls: tuple[str, ...] = ()
    artifact_type: str = ""

    @property
    def is_foreign(self) -> bool:
        """Its bytes live elsewhere by declaration; registries do not hold them and we do not copy them."""
        return bool(self.urls)

    def as_json(self) -> dict[str, Any]:
        """The members of a descriptor in an index that we write ourselves."""
        document: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        return document
