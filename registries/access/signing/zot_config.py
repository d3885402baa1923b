"""The lines with which zot trusts this portal."""

import json
from collections.abc import Iterator

from django.conf import settings

from registries.topology.models import Registry


def zot_lines(registry: Registry, listen: str, storage: str, key_file: str) -> Iterator[str]:
    """YAML, which zot takes when the file is called so. ``listen`` is host:port, the host may be left out."""
    host, _, port = listen.rpartition(":")
    yield "# zot checks neither audience nor issuer of a token, and trusts one key at a time: no other registry may have this key."
    if registry.fronts is not None:
        yield f"# How it pulls through from {registry.fronts.name} is not written here; see extensions.sync in zot's documentation."
    yield "distSpecVersion: 1.1.1"
    yield "storage:"
    yield f"  rootDirectory: {json.dumps(storage)}"
    yield "  # With dedupe, whoever may push and knows the digest of a blob could mount it from any repository and read it."
    yield "  dedupe: false"
    yield "  gc: true"
    yield "http:"
    yield f"  address: {json.dumps(host or '0.0.0.0')}"  # noqa: S104  as Distribution's ":5000": all addresses
    yield f"  port: {json.dumps(port)}"
    yield "  # Images in Docker's own format are taken beside those in OCI's."
    yield "  compat: [docker2s2]"
    yield "  auth:"
    yield "    bearer:"
    yield f"      realm: {json.dumps(settings.PORTAL_BASE_URL + '/token')}"
    yield f"      service: {json.dumps(registry.service)}"
    yield f"      # From {settings.PORTAL_BASE_URL}/keys/{registry.name}/newest.pem, or with --keys-dir."
    yield f"      cert: {json.dumps(key_file)}"
    yield "log:"
    yield "  level: info"
