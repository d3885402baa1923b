"""Blob bytes on their way: opened at a registry, resumed behind an open upload, counted, cut off when cancelled."""

import re
from collections.abc import Callable
from typing import Protocol

import requests

from registries.oci.backoff import Backoff
from registries.oci.descriptor import Descriptor
from registries.oci.errors import Cancelled, Dropped, RegistryError
from registries.oci.failures import READ_FAILURES, error_of_read
from registries.oci.sizes import MIB, spell

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class ReadableBody:
    """A plain readable as a request body of known size; it can be sent again only if the readable can seek."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream, self._size = stream, size
        self.sent = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        left = self._size - self.sent
        piece = self._stream.read(left if size < 0 else min(size, left)) if left else b""
        if left and size and not piece:
            # Sending less than announced would leave the registry waiting for the rest.
            raise RegistryError(f"the content to upload ended after {self.sent} of {self._size} bytes")
        self.sent += len(piece)
        return piece

    def rewind(self) -> None:
        seek = getattr(self._stream, "seek", None)
        if self.sent and seek is None:
            raise RegistryError("the content to upload cannot be read a second time; start the upload anew")
        if seek is not None and self.sent:
            seek(0)
        self.sent = 0


class BlobStream:
    """A blob being downloaded, from `offset` on. Close it."""

    def __init__(self, response: requests.Response, who: str, about: str, offset: int = 0) -> None:
        self._response = response
        self._who, self._about = who, about
        self._skip(offset)

    def read(self, size: int = MIB) -> bytes:
        """Up to `size` bytes, empty at the end; raises Dropped."""
        try:
            return self._response.raw.read(size, decode_content=False) or b""
        except READ_FAILURES as failure:
            raise error_of_read(self._who, self._about, failure) from failure

    def close(self) -> None:
        self._response.close()

    def _skip(self, offset: int) -> None:
        """A server may ignore the range and send all: what is known already is read past."""
        match = _CONTENT_RANGE.match(self._response.headers.get("Content-Range", ""))
        left = offset - int(match[1]) if match and self._response.status_code == 206 else offset
        if left < 0 or (self._response.status_code == 206 and match is None):
            self.close()
            raise RegistryError(f"{self._who}: {self._about}: it answered with another range than was asked for")
        while left > 0:
            piece = self.read(min(left, MIB))
            if not piece:
                raise Dropped(f"{self._who}: {self._about}: the connection was cut")
            left -= len(piece)


class Source(Protocol):
    """What a resumable reader needs of a client."""

    @property
    def label(self) -> str: ...

    def stream_blob(self, repository: str, descriptor: Descriptor, offset: int) -> BlobStream: ...


class ResumableReader:
    """One blob of a source as a request body: when the source breaks, reading goes on where it stopped.

    The target's open upload notices nothing. Raises Dropped when the source breaks again and again
    without giving a MiB in between, and Cancelled when `is_cancelled` says so.
    """

    def __init__(
        self,
        source: Source,
        repository: str,
        blob: Descriptor,
        *,
        backoff: Backoff,
        on_bytes: Callable[[int], None] = lambda count: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._repository, self._blob = source, repository, blob
        self._backoff, self._on_bytes, self._is_cancelled = backoff, on_bytes, is_cancelled
        self._stream: BlobStream | None = None
        self._breaks, self._broke_at = 0, 0
        self.sent = 0
        self.has_failed = False

    def __len__(self) -> int:
        return self._blob.size

    def read(self, size: int = -1) -> bytes:
        left = self._blob.size - self.sent
        wanted = left if size < 0 else min(size, left)
        if wanted == 0:
            return b""
        if self._is_cancelled():
            raise Cancelled(f"{self._source.label}: blob {self._blob.digest}: the copy was cancelled")
        piece = self._piece(wanted)
        self.sent += len(piece)
        self._on_bytes(len(piece))
        return piece

    def rewind(self) -> None:
        self.close()
        self._on_bytes(-self.sent)
        self.sent = self._breaks = self._broke_at = 0

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _piece(self, wanted: int) -> bytes:
        while True:
            try:
                if self._stream is None:
                    self._stream = self._source.stream_blob(self._repository, self._blob, self.sent)
                if piece := self._stream.read(wanted):
                    return piece
                raise Dropped("ended early")
            except RegistryError as error:
                self._break(error)

    def _break(self, error: RegistryError) -> None:
        """Wait before going on, or give up with the reason."""
        self.close()
        if self.sent - self._broke_at >= MIB:
            self._breaks = 0
        pause = self._backoff.pause(self._breaks, error)
        if pause is None:
            self.has_failed = True
            raise self._final(error) from error
        self._breaks, self._broke_at = self._breaks + 1, self.sent
        self._backoff.sleep(pause)

    def _final(self, error: RegistryError) -> RegistryError:
        if not isinstance(error, Dropped):
            return error
        done = f"{spell(self.sent)} of {spell(self._blob.size)}"
        return Dropped(
            f"{self._source.label}: the connection was cut after {done} of blob {self._blob.digest}; "
            "the copy can be run again"
        )
