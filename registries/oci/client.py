"""What can be asked of a registry? The verbs of the Distribution API, checked on the way in and out."""

from collections.abc import Iterator
from dataclasses import dataclass

from registries.oci import mediatypes
from registries.oci.address import Address
from registries.oci.answers import is_html
from registries.oci.auth import Auth
from registries.oci.config import MAX_CONFIG_BYTES
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest, InvalidDigest
from registries.oci.errors import DigestMismatch, NotARegistry, NotFound, RegistryError, Unsupported
from registries.oci.manifest import MAX_MANIFEST_BYTES, InvalidManifest, Manifest, parse_manifest
from registries.oci.origin import is_same_origin
from registries.oci.pages import follow_pages
from registries.oci.referrers import parse_referrers
from registries.oci.scope import CATALOG, Scope
from registries.oci.sizes import MIB
from registries.oci.streams import BlobStream, Readable, ReadableBody
from registries.oci.transport import Body, Reply, Request, Transport, TransportOptions
from registries.oci.uploads import Uploads, UploadSession

MAX_LIST_BYTES = 32 * MIB
_DELETED = frozenset({200, 202, 204})


@dataclass(frozen=True)
class Pong:
    """What `/v2/` says of the server."""

    api_version: str
    server: str


@dataclass(frozen=True)
class PutResult:
    """`subject_handled` is False when the caller has to keep the fallback tag of referrers itself."""

    digest: Digest
    subject_handled: bool


class Client:
    """One registry, one credential, any number of threads. Raises RegistryError and its kinds, with a plain sentence."""

    def __init__(self, base_url: str, auth: Auth, *, name: str = "", options: TransportOptions | None = None) -> None:
        self._transport = Transport(base_url, auth, label=name, options=options)
        self._address = Address(self._transport.base_url)
        self._uploads = Uploads(self._transport, self._address)
        self._has_referrers_api: bool | None = None

    @property
    def base_url(self) -> str:
        return self._transport.base_url

    @property
    def label(self) -> str:
        """How sentences call this registry."""
        return self._transport.label

    @property
    def options(self) -> TransportOptions:
        return self._transport.options

    def is_same_registry(self, other: "Client") -> bool:
        return is_same_origin(self.base_url, other.base_url)

    def close(self) -> None:
        self._transport.close()

    def ping(self) -> Pong:
        request = Request("GET", self._address.root, "the API root")
        reply = self._transport.send(request)
        if is_html(reply.headers, reply.body):
            raise NotARegistry(f"{self.label}: a web page answered; is this the address of a registry?")
        return Pong(reply.headers.get("Docker-Distribution-Api-Version", ""), reply.headers.get("Server", ""))

    # Lists

    def catalog(self, page_size: int = 100) -> Iterator[str]:
        """Names as the pages come; raises before the end when the list would be partial."""
        request = Request("GET", self._address.catalog(page_size), "the catalog", (CATALOG,), limit=MAX_LIST_BYTES)
        for reply in follow_pages(self._transport, request):
            yield from self._names(reply, "repositories", request.about)

    def tags(self, repository: str) -> list[str]:
        """All tags. A repository that lost its tags has none; one that never was raises NotFound."""
        about = f"the tags of {repository}"
        request = Request("GET", self._address.tags(repository), about, self._pull(repository), limit=MAX_LIST_BYTES)
        pages = follow_pages(self._transport, request)
        return list(dict.fromkeys(name for reply in pages for name in self._names(reply, "tags", about)))

    def _names(self, reply: Reply, key: str, about: str) -> list[str]:
        document = reply.json(self.label, about)
        names = document.get(key, ()) if isinstance(document, dict) else ()
        # Distribution says null for a repository whose tags are all gone.
        if names is None:
            return []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise NotARegistry(f"{self.label}: {about}: the answer is no list of {key}")
        return names

    # Manifests

    def head_manifest(self, repository: str, reference: str) -> Descriptor | None:
        """What a tag or digest is, without its body (Docker Hub counts no pull for it); None when it is not there."""
        request = self._manifest("HEAD", repository, reference)
        try:
            reply = self._transport.send(request)
        except NotFound:
            return None
        digest, length = reply.headers.get("Docker-Content-Digest"), reply.headers.get("Content-Length", "")
        if not digest or not length.isdecimal():
            return self._described_by_body(repository, reference)
        media_type = mediatypes.bare(reply.headers.get("Content-Type", ""))
        return Descriptor(media_type, self._digest(digest, request.about), int(length))

    def get_manifest(self, repository: str, reference: str, expected: Digest | None = None) -> Manifest:
        """The manifest, its bytes hashed and held against `expected`, the reference, or what the registry claims."""
        request = self._manifest("GET", repository, reference)
        reply = self._transport.send(request)
        if is_html(reply.headers, reply.body):
            raise NotARegistry(f"{self.label}: {request.about}: a web page answered; is this a registry?")
        digest = self._checked(reply, expected or _as_digest(reference), request.about)
        try:
            return parse_manifest(reply.body, reply.headers.get("Content-Type", ""), digest)
        except InvalidManifest as error:
            raise InvalidManifest(f"{self.label}: {request.about}: {error}") from error

    def put_manifest(self, repository: str, reference: str, raw: bytes, media_type: str) -> PutResult:
        """Store these very bytes. Raises DigestMismatch when the registry made something else of them."""
        about = _manifest_name(repository, reference)
        request = Request(
            "PUT",
            self._address.manifest(repository, reference),
            about,
            self._push(repository),
            {"Content-Type": media_type},
            raw,
            ok=frozenset({200, 201, 202}),
        )
        reply = self._transport.send(request)
        named = _as_digest(reference)
        sent = Digest.of(raw, named.algorithm if named else "sha256")
        stored = reply.headers.get("Docker-Content-Digest", sent)
        if stored != sent:
            raise DigestMismatch(f"{self.label}: {about}: {sent} was sent, and it was stored as {stored[:100]}")
        return PutResult(sent, "OCI-Subject" in reply.headers)

    def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Delete a manifest AND EVERY TAG on it."""
        about = f"deleting {_manifest_name(repository, digest)}"
        url = self._address.manifest(repository, Digest.parse(digest))
        self._transport.send(Request("DELETE", url, about, self._delete(repository), ok=_DELETED))

    def delete_tag(self, repository: str, tag: str) -> None:
        """Take away one tag and nothing else; raises Unsupported where that cannot be had (Distribution 2.8)."""
        about = f"deleting {_manifest_name(repository, tag)}"
        url = self._address.manifest(repository, tag)
        try:
            self._transport.send(Request("DELETE", url, about, self._delete(repository), ok=_DELETED))
        except RegistryError as error:
            if error.status not in (400, 405):
                raise
            raise Unsupported(f"{self.label}: {about}: it deletes no single tags", status=error.status) from error

    # Blobs

    def head_blob(self, repository: str, digest: Digest) -> int | None:
        """Its size in bytes, None when it is not there."""
        about = f"blob {digest} in {repository}"
        request = Request("HEAD", self._address.blob(repository, digest), about, self._pull(repository))
        try:
            reply = self._transport.send(request)
        except NotFound:
            return None
        length = reply.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise NotARegistry(f"{self.label}: {about}: it did not say how large the blob is")
        return int(length)

    def get_blob(self, repository: str, digest: Digest, limit: int = MAX_CONFIG_BYTES) -> bytes:
        """A small blob, hashed; raises TooLarge above `limit` bytes."""
        about = f"blob {digest} in {repository}"
        url = self._address.blob(repository, digest)
        reply = self._transport.send(Request("GET", url, about, self._pull(repository), limit=limit))
        if not digest.matches(reply.body):
            raise DigestMismatch(f"{self.label}: {about}: its content has another digest")
        return reply.body

    def open_blob(self, repository: str, digest: Digest, offset: int = 0) -> BlobStream:
        """Its bytes from `offset` on, not hashed. Close the stream."""
        about = f"blob {digest} in {repository}"
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        url = self._address.blob(repository, digest)
        request = Request("GET", url, about, self._pull(repository), headers, ok=frozenset({200, 206}))
        return BlobStream(self._transport.open(request), self.label, about, offset)

    def stream_blob(self, repository: str, descriptor: Descriptor, offset: int) -> BlobStream:
        return self.open_blob(repository, descriptor.digest, offset)

    def put_blob(self, repository: str, digest: Digest, data: bytes) -> None:
        if not digest.matches(data):
            raise DigestMismatch(f"{self.label}: the content to upload is not blob {digest}")
        self.options.backoff.call(lambda: self._upload(repository, digest, data))

    def upload_blob(self, repository: str, digest: Digest, size: int, stream: Readable) -> None:
        """Stream `size` bytes in; the registry hashes them. One try: the caller knows whether it can read again."""
        self._upload(repository, digest, ReadableBody(stream, size))

    def mount_blob(self, repository: str, digest: Digest, source_repository: str) -> bool:
        """Take a blob over from another repository of this registry; False when the registry does not do it."""
        session = self.begin_upload(repository, digest, source_repository)
        if session is not None:
            self.cancel_upload(session)
        return session is None

    def begin_upload(self, repository: str, digest: Digest, mount_from: str | None = None) -> UploadSession | None:
        """Open an upload, or mount when `mount_from` has the blob: None then says that it is there."""
        return self._uploads.begin(repository, digest, mount_from)

    def fill_upload(self, session: UploadSession, digest: Digest, body: bytes | Body) -> None:
        self._uploads.fill(session, digest, body)

    def cancel_upload(self, session: UploadSession) -> None:
        self._uploads.cancel(session)

    def delete_blob(self, repository: str, digest: Digest) -> None:
        about = f"deleting blob {digest} in {repository}"
        url = self._address.blob(repository, digest)
        self._transport.send(Request("DELETE", url, about, self._delete(repository), ok=_DELETED))

    # Referrers

    def referrers(self, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        """Manifests whose subject this is: by the API, else by the fallback tag."""
        found = self.referrers_by_api(repository, digest)
        return self.referrers_by_tag(repository, digest) if found is None else found

    def referrers_by_tag(self, repository: str, digest: Digest) -> tuple[Descriptor, ...]:
        try:
            return self.get_manifest(repository, digest.fallback_tag).manifests
        except NotFound:
            return ()

    def has_referrers_api(self, repository: str, digest: Digest) -> bool:
        """Whether the route exists; asking about a repository that does not is answer enough."""
        self.referrers_by_api(repository, digest)
        return self._has_referrers_api is not False

    def referrers_by_api(self, repository: str, digest: Digest) -> tuple[Descriptor, ...] | None:
        """None where the API is missing, which is asked only once."""
        if self._has_referrers_api is False:
            return None
        about = f"the referrers of {digest} in {repository}"
        url = self._address.referrers(repository, digest)
        headers = {"Accept": mediatypes.OCI_INDEX}
        request = Request("GET", url, about, self._pull(repository), headers, limit=MAX_MANIFEST_BYTES)
        try:
            pages = [self._referrers_page(reply, about) for reply in follow_pages(self._transport, request)]
        except (NotFound, NotARegistry, Unsupported) as error:
            # Without a code of the registry's own it is the route that is missing, and that stays so.
            self._has_referrers_api = None if error.codes and isinstance(error, NotFound) else False
            return None
        except RegistryError as error:
            if error.status == 400:
                return None
            raise
        self._has_referrers_api = True
        return tuple(descriptor for page in pages for descriptor in page)

    def _referrers_page(self, reply: Reply, about: str) -> tuple[Descriptor, ...]:
        reply.json(self.label, about)
        return parse_referrers(reply.body)

    # Shared by the verbs

    def _manifest(self, method: str, repository: str, reference: str) -> Request:
        return Request(
            method,
            self._address.manifest(repository, reference),
            _manifest_name(repository, reference),
            self._pull(repository),
            {"Accept": mediatypes.ACCEPT},
            limit=MAX_MANIFEST_BYTES,
        )

    def _described_by_body(self, repository: str, reference: str) -> Descriptor | None:
        """Older servers leave the digest out of HEAD."""
        try:
            manifest = self.get_manifest(repository, reference)
        except NotFound:
            return None
        return Descriptor(manifest.media_type, manifest.digest, manifest.size)

    def _checked(self, reply: Reply, expected: Digest | None, about: str) -> Digest:
        claimed = reply.headers.get("Docker-Content-Digest")
        wanted = expected or (self._digest(claimed, about) if claimed else Digest.of(reply.body))
        if not wanted.matches(reply.body):
            found = Digest.of(reply.body, wanted.algorithm)
            raise DigestMismatch(f"{self.label}: {about}: {wanted} was expected, and its content is {found}")
        return wanted

    def _digest(self, text: str, about: str) -> Digest:
        try:
            return Digest.parse(text)
        except InvalidDigest as error:
            raise NotARegistry(f"{self.label}: {about}: {error}") from error

    def _upload(self, repository: str, digest: Digest, body: bytes | Body) -> None:
        session = self._uploads.begin(repository, digest)
        if session is not None:
            self._uploads.fill(session, digest, body)

    def _pull(self, repository: str) -> tuple[Scope, ...]:
        return (Scope.repository(repository, "pull"),)

    def _push(self, repository: str) -> tuple[Scope, ...]:
        return (Scope.repository(repository, "pull", "push"),)

    def _delete(self, repository: str) -> tuple[Scope, ...]:
        return (Scope.repository(repository, "pull", "delete"),)


def _manifest_name(repository: str, reference: str) -> str:
    joint = "@" if ":" in reference else ":"
    return f"manifest {repository}{joint}{reference}"


def _as_digest(reference: str) -> Digest | None:
    return Digest.parse(reference) if ":" in reference else None
