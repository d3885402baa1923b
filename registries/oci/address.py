"""Where is what? The addresses of the API below one registry (distribution-spec, "Endpoints")."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from registries.oci.digest import Digest
from registries.oci.errors import RegistryError
from registries.oci.reference import MAX_REPOSITORY_BYTES, is_tag

# Wider than the grammar: Distribution holds names such as Team/app, which we must be able to read.
_NAME = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)*", re.ASCII
)


@dataclass(frozen=True)
class Address:
    base_url: str

    @property
    def root(self) -> str:
        return f"{self.base_url}/v2/"

    def catalog(self, page_size: int) -> str:
        return f"{self.base_url}/v2/_catalog?{urlencode({'n': page_size})}"

    def tags(self, repository: str) -> str:
        return f"{self._of(repository)}/tags/list"

    def manifest(self, repository: str, reference: str) -> str:
        if not isinstance(reference, Digest) and not is_tag(reference):
            Digest.parse(reference)
        return f"{self._of(repository)}/manifests/{reference}"

    def blob(self, repository: str, digest: Digest) -> str:
        return f"{self._of(repository)}/blobs/{digest}"

    def uploads(self, repository: str, **query: str) -> str:
        return f"{self._of(repository)}/blobs/uploads/" + (f"?{urlencode(query)}" if query else "")

    def referrers(self, repository: str, digest: Digest) -> str:
        return f"{self._of(repository)}/referrers/{digest}"

    def _of(self, repository: str) -> str:
        # Anything else could leave the repository by way of dots or a question mark.
        if len(repository) > MAX_REPOSITORY_BYTES or _NAME.fullmatch(repository) is None:
            raise RegistryError(f"{self.base_url}: {repository[:120]!r} cannot be the name of a repository")
        return f"{self.base_url}/v2/{quote(repository)}"


def with_digest(location: str, digest: Digest) -> str:
    """An upload's Location is used as given, with the digest added."""
    return f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': str(digest)})}"
