"""The whole config.yml with which a server trusts this portal: Distribution 2.8 or 3, or zot. Text, because the comments matter as much."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.conf import settings
from django.utils.crypto import salted_hmac

from registries.access.signing.keys import bundle_pem, ensure_key, jwks, newest_certificate, trusted_keys
from registries.access.signing.zot_config import zot_lines
from registries.topology.models import Credential, Reach, Registry

VERSIONS = ("2.8", "3")
DISTRIBUTION, ZOT = "distribution", "zot"
PRODUCTS = (DISTRIBUTION, ZOT)
BUNDLE, KEY_SET, ONE_KEY = "portal-bundle.pem", "portal-jwks.json", "portal-key.pem"
DEFAULT_KEYS_DIR = PurePosixPath("/etc/docker/registry")


@dataclass(frozen=True)
class Wanted:
    """How the server is to run: which make and version, where it listens, where it keeps content, where it finds our keys."""

    version: str = "2.8"
    listen: str = ":5000"
    storage: str = "/var/lib/registry"
    keys_dir: PurePosixPath = DEFAULT_KEYS_DIR
    product: str = DISTRIBUTION

    @property
    def key_file(self) -> PurePosixPath:
        if self.product == ZOT:
            return self.keys_dir / ONE_KEY
        return self.keys_dir / (BUNDLE if self.version == "2.8" else KEY_SET)

    @property
    def server(self) -> str:
        return "zot" if self.product == ZOT else f"CNCF Distribution {self.version}"


def config_text(registry: Registry, wanted: Wanted) -> str:
    """The file. Makes the registry's signing key where there is none yet."""
    ensure_key(registry)
    if wanted.product == ZOT:
        lines = zot_lines(registry, wanted.listen, wanted.storage, str(wanted.key_file))
        return "\n".join([*_head(registry, wanted), *lines]) + "\n"
    return "\n".join([*_head(registry, wanted), *_log(), *_storage(registry, wanted), *_http(registry, wanted),
                      *_health(registry), *_auth(registry, wanted), *_proxy(registry)]) + "\n"  # fmt: skip


def key_file_text(registry: Registry, wanted: Wanted) -> str:
    """What the server has to find at ``key_file``: public keys alone."""
    ensure_key(registry)
    if wanted.product == ZOT:
        return newest_certificate(registry)
    return bundle_pem(registry) if wanted.version == "2.8" else json.dumps(jwks(registry), indent=2) + "\n"


def _head(registry: Registry, wanted: Wanted) -> Iterator[str]:
    yield f"# {registry.name}: {wanted.server}, zone {registry.zone.name}. Written by manage.py registry_config."
    yield f"# The server reads this file and {wanted.key_file.name} once, at its start: restart it when either changes."
    if registry.reach != Reach.ENFORCED:
        yield f"# In the portal this registry is {registry.reach}; set its reach to enforced when it runs with this file."
    if wanted.product == DISTRIBUTION:
        yield "version: 0.1"


def _log() -> Iterator[str]:
    yield "log:"
    yield "  level: info"
    yield "  fields: {service: registry}"


def _storage(registry: Registry, wanted: Wanted) -> Iterator[str]:
    yield "storage:"
    yield f"  filesystem: {{rootdirectory: {_quoted(wanted.storage)}}}"
    yield "  # No cache of blob descriptors: it would answer for blobs that a cleanup has deleted."
    if registry.fronts is None:
        yield "  # What may be deleted, and by whom, is said by the portal's tokens."
        yield "  delete: {enabled: true}"
    yield "  maintenance:"
    yield "    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}"


def _http(registry: Registry, wanted: Wanted) -> Iterator[str]:
    secret = salted_hmac("registries.access.signing.registry_config", registry.name, algorithm="sha256").hexdigest()
    yield "http:"
    yield f"  addr: {_quoted(wanted.listen)}"
    yield "  # Signs the state of uploads; the same for all servers behind one name. A secret."
    yield f"  secret: {secret}"
    yield "  headers: {X-Content-Type-Options: [nosniff]}"
    if registry.base_url.startswith("https:"):
        yield "  # TLS ends at a proxy in front, or here:"
        yield "  # tls: {certificate: /etc/ssl/registry.pem, key: /etc/ssl/registry.key}"


def _health(registry: Registry) -> Iterator[str]:
    if registry.fronts is None:
        yield "health:"
        yield "  storagedriver: {enabled: true, interval: 10s, threshold: 3}"


def _auth(registry: Registry, wanted: Wanted) -> Iterator[str]:
    yield "auth:"
    yield "  token:"
    yield f"    realm: {_quoted(settings.PORTAL_BASE_URL + '/token')}"
    yield "    # The audience of its tokens. No other registry may have it."
    yield f"    service: {_quoted(registry.service)}"
    yield f"    issuer: {_quoted(settings.PORTAL_TOKEN_ISSUER)}"
    yield f"    # From {settings.PORTAL_BASE_URL}/keys/{registry.name}/, or with --keys-dir."
    if wanted.version == "2.8":
        yield f"    rootcertbundle: {_quoted(str(wanted.key_file))}"
    else:
        yield f"    jwks: {_quoted(str(wanted.key_file))}"
        algorithms = dict.fromkeys(key.algorithm for key in trusted_keys(registry))
        yield f"    signingalgorithms: [{', '.join(algorithms)}]"


def _proxy(registry: Registry) -> Iterator[str]:
    front = registry.fronts
    if front is None:
        return
    yield "proxy:"
    yield f"  # A pull-through cache of {front.name}; nobody pushes here."
    yield f"  remoteurl: {_quoted(front.base_url)}"
    credential = Credential.objects.filter(registry=front).first()
    if credential is not None:
        yield f"  # The portal's own credential at {front.name}: keep this file from other eyes."
        yield f"  username: {_quoted(credential.username)}"
        yield f"  password: {_quoted(credential.secret)}"
    elif front.reach == Reach.ENFORCED:
        yield f"  # {front.name} asks for tokens. Give the cache a robot account of kind consumer, a rule that lets it pull, and:"
        yield "  # username: robot.<name>"
        yield "  # password: <its secret>"


def _quoted(text: str) -> str:
    """A JSON string is a YAML string, whatever is in it."""
    return json.dumps(text)
