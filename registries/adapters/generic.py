"""Any registry that keeps to the OCI Distribution specification, and nothing more."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from registries.adapters import deletion
from registries.adapters.base import Capabilities, Endpoint, open_client
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Denied, NotFound, RegistryError, Unauthorized, Unsupported

# Asked about where an answer is wanted and no content may be touched: no such repository is ever made.
PROBE_REPOSITORY = "portreeve-probe/nothing"
_PROBE_TAG = "nothing"
_PROBE_DIGEST = Digest("sha256:" + "0" * 64)


@dataclass(frozen=True)
class GenericAdapter:
    name: str = "generic"
    page_size: int = 100

    def client(self, endpoint: Endpoint) -> Client:
        return open_client(endpoint)

    def capabilities(self, client: Client) -> Capabilities:
        asked: dict[str, bool | None] = {
            "catalog": _can(lambda: next(iter(client.catalog(1)), None)),
            "tag_delete": _can(lambda: client.delete_tag(PROBE_REPOSITORY, _PROBE_TAG)),
            "digest_delete": _can(lambda: client.delete_manifest(PROBE_REPOSITORY, _PROBE_DIGEST)),
            "referrers_api": _can(lambda: client.has_referrers_api(PROBE_REPOSITORY, _PROBE_DIGEST)),
        }
        return Capabilities(
            catalog=bool(asked["catalog"]),
            tag_delete=bool(asked["tag_delete"]),
            digest_delete=asked["digest_delete"] is not False,
            referrers_api=bool(asked["referrers_api"]),
            unknown=frozenset(name for name, answer in asked.items() if answer is None),
        )

    def list_repositories(self, client: Client) -> Iterator[str]:
        return client.catalog(self.page_size)

    def list_tags(self, client: Client, repository: str) -> list[str]:
        return client.tags(repository)

    def delete_tag(
        self,
        client: Client,
        repository: str,
        tag: str,
        *,
        digest: Digest,
        siblings: Sequence[str],
        keep_manifest: bool = False,
    ) -> str:
        return deletion.delete_tag(
            client, repository, tag, digest=digest, siblings=siblings, keep_manifest=keep_manifest
        )


def _can(ask: Callable[[], object]) -> bool | None:
    """Whether a question is understood: "not found" is an answer, "unsupported" is none. None when refused."""
    try:
        return ask() is not False
    except NotFound:
        return True
    except (Denied, Unauthorized):
        return None
    except Unsupported:
        return False
    except RegistryError as error:
        if error.is_retryable:
            raise
        return False
