"""CNCF Distribution, 2.8 and 3. They differ in what they delete; both list the whole catalog, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass

from registries.adapters.generic import GenericAdapter
from registries.oci.client import Client
from registries.oci.errors import RegistryError


@dataclass(frozen=True)
class DistributionAdapter(GenericAdapter):
    name: str = "distribution"
    page_size: int = 1000

    def list_repositories(self, client: Client) -> Iterator[str]:
        """In large pages, since each one walks the storage from the start; smaller where `catalog.maxentries` says so."""
        try:
            names = client.catalog(self.page_size)
            first = next(names, None)
        except RegistryError as error:
            if "PAGINATION_NUMBER_INVALID" not in error.codes:
                raise
            yield from client.catalog(100)
            return
        if first is not None:
            yield first
            yield from names
