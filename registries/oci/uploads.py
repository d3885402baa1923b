"""How do a blob's bytes get in? Sessions: opened by POST, filled and closed by PUT (distribution-spec, "Pushing blobs")."""

from dataclasses import dataclass, replace

from registries.oci.address import Address, with_digest
from registries.oci.digest import Digest
from registries.oci.errors import DigestMismatch, RegistryError, TooLarge
from registries.oci.scope import Scope
from registries.oci.sizes import MIB
from registries.oci.transport import Body, Reply, Request, Transport

# Tried in turn after a proxy refused the whole blob for its size.
CHUNKS = (64 * MIB, 8 * MIB, MIB // 2)
_BINARY = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class UploadSession:
    repository: str
    location: str
    scopes: tuple[Scope, ...]


class Uploads:
    def __init__(self, transport: Transport, address: Address) -> None:
        self._transport = transport
        self._address = address

    def begin(self, repository: str, digest: Digest, mount_from: str | None = None) -> UploadSession | None:
        """Open a session; None when the registry mounted the blob instead, which 201 alone says."""
        query: dict[str, str] = {}
        scopes: tuple[Scope, ...] = (Scope.repository(repository, "pull", "push"),)
        if mount_from is not None:
            query = {"mount": str(digest), "from": mount_from}
            if mount_from != repository:
                scopes += (Scope.repository(mount_from, "pull"),)
        elif digest.algorithm != "sha256":
            query = {"digest-algorithm": digest.algorithm}
        request = Request(
            "POST",
            self._address.uploads(repository, **query),
            f"upload of blob {digest} to {repository}",
            scopes,
            {"Content-Length": "0"},
            ok=frozenset({202} if mount_from is None else {201, 202}),
        )
        reply = self._transport.send(request)
        if reply.status == 201:
            return None
        return UploadSession(repository, self._next(request, reply), scopes[:1])

    def fill(self, session: UploadSession, digest: Digest, body: bytes | Body) -> None:
        """Send the whole blob and close the session; the registry hashes it. Over in chunks if it is called too large."""
        try:
            self._close(session, digest, body)
        except TooLarge:
            if isinstance(body, bytes):
                raise
            self._fill_in_chunks(session, digest, body)

    def cancel(self, session: UploadSession) -> None:
        """Best effort: registries drop what is left over after some days by themselves."""
        request = Request(
            "DELETE",
            session.location,
            f"cancelling an upload to {session.repository}",
            session.scopes,
            ok=frozenset({200, 202, 204, 404}),
        )
        try:
            self._transport.send_once(request)
        except RegistryError:
            return

    def _close(self, session: UploadSession, digest: Digest, body: bytes | Body) -> None:
        request = Request(
            "PUT",
            with_digest(session.location, digest),
            f"blob {digest}",
            session.scopes,
            {**_BINARY, "Content-Length": str(len(body))},
            body if len(body) else None,
            ok=frozenset({201, 204}),
            read_timeout=self._transport.options.upload_timeout,
        )
        reply = self._transport.send_once(request)
        stored = reply.headers.get("Docker-Content-Digest", digest)
        if stored != digest:
            raise DigestMismatch(f"{self._transport.label}: blob {digest}: it was stored as {stored[:100]}")

    def _fill_in_chunks(self, session: UploadSession, digest: Digest, body: Body) -> None:
        for chunk in (size for size in CHUNKS if size < len(body)):
            self.cancel(session)
            body.rewind()
            fresh = self.begin(session.repository, digest)
            if fresh is None:
                return None
            session = fresh
            try:
                return self._chunks(session, digest, body, chunk)
            except TooLarge:
                continue
        self.cancel(session)
        raise TooLarge(f"{self._transport.label}: blob {digest}: refused as too large, whole and in chunks")

    def _chunks(self, session: UploadSession, digest: Digest, body: Body, chunk: int) -> None:
        for start in range(0, len(body), chunk):
            window = _Window(body, min(chunk, len(body) - start))
            request = Request(
                "PATCH",
                session.location,
                f"blob {digest}",
                session.scopes,
                {
                    **_BINARY,
                    "Content-Length": str(len(window)),
                    # Neither "bytes" nor a total: this is not the Content-Range of HTTP.
                    "Content-Range": f"{start}-{start + len(window) - 1}",
                },
                window,
                ok=frozenset({201, 202, 204}),
            )
            session = replace(session, location=self._next(request, self._transport.send_once(request)))
        self._close(session, digest, b"")

    def _next(self, request: Request, reply: Reply) -> str:
        location = reply.headers.get("Location", "")
        if not location:
            raise RegistryError(f"{self._transport.label}: {request.about}: it opened an upload without a Location")
        return self._transport.resolve(request, location)


class _Window:
    """The next `size` bytes of a body. Not rewindable: a chunk sent twice would shift all after it."""

    def __init__(self, body: Body, size: int) -> None:
        self._body, self._size = body, size
        self.sent = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        left = self._size - self.sent
        piece = self._body.read(left if size < 0 else min(size, left)) if left else b""
        self.sent += len(piece)
        return piece

    def rewind(self) -> None:
        if self.sent:
            raise RegistryError("a chunk that was partly sent cannot be sent again; start the blob anew")
