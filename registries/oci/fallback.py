"""Keeping the list of referrers where the registry keeps none (distribution-spec, "Referrers Tag Schema")."""

from collections.abc import Sequence

from registries.oci.client import Client
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.errors import Incomplete, NotFound
from registries.oci.mediatypes import OCI_INDEX
from registries.oci.referrers import merge_fallback

_TRIES = 3


def add_to_fallback(client: Client, repository: str, subject: Digest, listed: Sequence[Descriptor]) -> None:
    """Add to the index behind the fallback tag. Others may do so at the same time, so it is read again afterwards."""
    for _ in range(_TRIES):
        try:
            current = client.get_manifest(repository, subject.fallback_tag).raw
        except NotFound:
            current = None
        merged = merge_fallback(current, listed)
        if merged is None:
            return
        client.put_manifest(repository, subject.fallback_tag, merged, OCI_INDEX)
    if {d.digest for d in listed} - {d.digest for d in client.referrers_by_tag(repository, subject)}:
        raise Incomplete(
            f"{client.label}: {repository}: the list of referrers of {subject} is changed by others all the time"
        )
