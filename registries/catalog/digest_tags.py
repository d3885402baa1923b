"""Pure: tags that name a digest instead of a version. Fallback tags list referrers, cosign's hold signatures, attestations and SBOMs."""

import re

from registries.oci.referrers import COSIGN_SUFFIXES

_FORM = re.compile(r"(?a:(sha256|sha512)-[0-9a-f]{64}(\.(sig|att|sbom))?)")


def is_digest_tag(tag: str) -> bool:
    """Whether a tag belongs to a digest by its form."""
    return _FORM.fullmatch(tag) is not None


def bare_tag(tag: str) -> str:
    """A cosign tag without its suffix, which is the fallback tag of its digest; any other name as it is."""
    suffix = next((suffix for suffix in COSIGN_SUFFIXES if tag.endswith(suffix)), "")
    return tag.removesuffix(suffix)
