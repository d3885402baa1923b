"""What differs from one make of registry to the next, behind one protocol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registries.oci.auth import Anonymous, Auth
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.transport import TransportOptions


@dataclass(frozen=True)
class Endpoint:
    """Where a registry is and how we get in. `name` is what its sentences call it.

    `plain_http` matters only for a `base_url` written without a scheme.
    """

    base_url: str
    auth: Auth = field(default_factory=Anonymous, repr=False)
    verify_tls: bool = True
    ca_bundle: str | None = None
    plain_http: bool = False
    name: str = ""

    @property
    def url(self) -> str:
        return normalise_base_url(self.base_url, plain_http=self.plain_http)


@dataclass(frozen=True)
class Capabilities:
    """What a registry can do, as far as it was seen. `unknown` names what could not be asked and is assumed."""

    catalog: bool = False
    tag_delete: bool = False
    digest_delete: bool = False
    referrers_api: bool = False
    mount: bool = True
    chunked_upload: bool = True
    unknown: frozenset[str] = frozenset()


class Adapter(Protocol):
    @property
    def name(self) -> str: ...

    def client(self, endpoint: Endpoint) -> Client: ...

    def capabilities(self, client: Client) -> Capabilities:
        """Asked of the registry itself, without changing anything there."""
        ...

    def list_repositories(self, client: Client) -> Iterator[str]:
        """Names as they come; raises RegistryError before the end when the list would be partial."""
        ...

    def list_tags(self, client: Client, repository: str) -> list[str]: ...

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
        """Take away one tag that points to `digest`, and nothing else; returns the way it went.

        `siblings` are all other tags on that digest, freshly listed. `keep_manifest` says that the
        manifest is needed beyond its tags: child of a kept index, or subject or referrer of something kept.
        """
        ...


def open_client(endpoint: Endpoint, options: TransportOptions | None = None) -> Client:
    chosen = options or TransportOptions(verify_tls=endpoint.verify_tls, ca_bundle=endpoint.ca_bundle)
    return Client(endpoint.url, endpoint.auth, name=endpoint.name, options=chosen)


def normalise_base_url(text: str, *, plain_http: bool = False) -> str:
    """The address of a registry without path noise: `host:5000/v2/` becomes `https://host:5000`."""
    url = text.strip()
    if "://" not in url:
        url = f"{'http' if plain_http else 'https'}://{url}"
    return url.rstrip("/").removesuffix("/v2")
