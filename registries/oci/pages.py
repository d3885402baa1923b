"""Lists that come in pages: follow `Link: <...>; rel="next"` (RFC 8288) within one registry, and never in a circle."""

from collections.abc import Iterator
from dataclasses import replace

import requests

from registries.oci.errors import RegistryError
from registries.oci.origin import is_same_origin, joined
from registries.oci.transport import Reply, Request, Transport

MAX_PAGES = 10_000


def follow_pages(transport: Transport, request: Request) -> Iterator[Reply]:
    """Each page as it comes. Anything that would leave the list partial raises: a list that ends is whole."""
    seen: set[str] = set()
    while True:
        if request.url in seen or len(seen) >= MAX_PAGES:
            raise RegistryError(
                f"{transport.label}: {request.about}: its pages lead in a circle; the list is not whole"
            )
        seen.add(request.url)
        reply = transport.send(request)
        yield reply
        following = next_page(reply.headers.get("Link", ""))
        if following is None:
            return
        url = joined(request.url, following)
        # The registry chooses this address, and our credential goes with it.
        if not is_same_origin(url, request.url):
            raise RegistryError(
                f"{transport.label}: {request.about}: the next page is said to be at another host "
                f"({url[:200]}); the list is not whole"
            )
        request = replace(request, url=url)


def next_page(header: str) -> str | None:
    links = requests.utils.parse_header_links(header) if header else []
    return next((link["url"] for link in links if "next" in link.get("rel", "").lower().split()), None)
