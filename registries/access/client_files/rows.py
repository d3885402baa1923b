"""From rows to registries as clients meet them."""

from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from registries.access.client_files.closest import ClientRegistry
from registries.topology.models import Location, Registry

_MAX_BUNDLE_BYTES = 1 << 20
_PORTS = {"http": 80, "https": 443}


def client_registries(*, with_certificates: bool = True) -> list[ClientRegistry]:
    """All there are, in one query. Certificates are read from their files, which pages that show none can do without."""
    rows = Registry.objects.select_related("zone", "location", "primary", "fronts")
    return [client_registry(row, with_certificates=with_certificates) for row in rows]


def client_registry(row: Registry, *, with_certificates: bool = True) -> ClientRegistry:
    """What we know of its connection is about the address that the portal uses. Clients may come by another, such as a proxy's, and
    are then told nothing but the host: TLS, and certificates that the system trusts."""
    is_same = is_same_address(row.base_url, row.host)
    bundle = row.ca_bundle if is_same and with_certificates else ""
    certificates = certificates_of(bundle)
    return ClientRegistry(
        row.name,
        row.host,
        row.zone.kind,
        row.location.name if row.location else "",
        row.reach,
        row.primary.name if row.primary else "",
        row.fronts.name if row.fronts else "",
        is_plain=is_same and row.base_url.startswith("http://"),
        is_verified=row.verify_tls or not is_same,
        certificates=certificates,
        lacks_certificates=bool(bundle) and not certificates,
        is_following=row.is_replication_enabled,
    )


def is_same_address(base_url: str, host: str) -> bool:
    """Whether the portal reaches the registry at the very host that clients write."""
    url = urlsplit(base_url)
    port = _PORTS.get(url.scheme)
    return host.lower() in (url.netloc.lower(), url.netloc.lower().removesuffix(f":{port}"))


def certificates_of(path: str) -> str:
    """The certificates of a bundle and nothing else that may stand in the file; empty where there are none to be read.

    An admin names the file and everybody may see what comes out of it, so nothing goes through as it is."""
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            found = x509.load_pem_x509_certificates(file.read(_MAX_BUNDLE_BYTES))
    except (OSError, ValueError):
        return ""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in found)


def location_names() -> list[str]:
    """Where registries may stand."""
    return list(Location.objects.values_list("name", flat=True))
