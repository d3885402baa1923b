"""How does one blob get from here to there? Mounted if it can be, else streamed, started anew when the target breaks."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from registries.oci.client import Client
from registries.oci.descriptor import Descriptor
from registries.oci.errors import Cancelled, DigestMismatch, NotFound, RegistryError
from registries.oci.progress import Meter
from registries.oci.sizes import MIB
from registries.oci.streams import ResumableReader
from registries.oci.uploads import UploadSession

Way = Literal["copied", "mounted"]

# Above this a blob counts as large; only so many of those are under way at once, small ones fill the gaps.
LARGE_BYTES = 4 * MIB


@dataclass(frozen=True)
class Transfer:
    """Moves blobs of one repository to another. `mount_from` are repositories of the target that may hold them."""

    source: Client
    source_repository: str
    target: Client
    target_repository: str
    mount_from: Sequence[str]
    meter: Meter
    should_stop: Callable[[], bool]
    large: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(4))

    def run(self, blob: Descriptor) -> Way:
        if self.should_stop():
            raise Cancelled(f"{self.target.label}: blob {blob.digest}: the copy was cancelled")
        session = self._mount(blob)
        if session == "mounted":
            self.meter.add(blobs=1, size=blob.size)
            return "mounted"
        if blob.size > LARGE_BYTES:
            with self.large:
                self._stream(blob, session)
        else:
            self._stream(blob, session)
        self.meter.add(blobs=1)
        return "copied"

    def _mount(self, blob: Descriptor) -> UploadSession | Literal["mounted"] | None:
        """A registry that does not mount opens an upload instead: that one is used, not left behind."""
        session: UploadSession | None = None
        for repository in self.mount_from:
            if session is not None:
                self.target.cancel_upload(session)
            try:
                session = self.target.begin_upload(self.target_repository, blob.digest, repository)
            except RegistryError as error:
                # Only a saving: an unknown or forbidden source repository is answered in every possible way.
                if error.is_retryable:
                    raise
                session = None
                continue
            if session is None:
                return "mounted"
        return session

    def _stream(self, blob: Descriptor, session: UploadSession | None) -> None:
        reader = ResumableReader(
            self.source,
            self.source_repository,
            blob,
            backoff=self.source.options.backoff,
            on_bytes=lambda count: self.meter.add(size=count),
            is_cancelled=self.should_stop,
        )
        try:
            self._upload(blob, session, reader)
        finally:
            reader.close()

    def _upload(self, blob: Descriptor, session: UploadSession | None, reader: ResumableReader) -> None:
        tried = 0
        while True:
            if session is None:
                session = self.target.begin_upload(self.target_repository, blob.digest)
            if session is None:
                return
            try:
                self.target.fill_upload(session, blob.digest, reader)
                return
            except RegistryError as error:
                pause = self._pause(tried, error, reader)
                if pause is None:
                    self.target.cancel_upload(session)
                    raise self._reason(blob, error) from error
            self.target.options.backoff.sleep(pause)
            # The answer may have been lost, and not the blob.
            if self.target.head_blob(self.target_repository, blob.digest) == blob.size:
                self.meter.add(size=blob.size - reader.sent)
                return
            reader.rewind()
            session, tried = None, tried + 1

    def _pause(self, tried: int, error: RegistryError, reader: ResumableReader) -> float | None:
        """Seconds before the blob starts anew, None to give up."""
        if reader.has_failed or isinstance(error, Cancelled):
            return None
        if isinstance(error, DigestMismatch):
            # Damaged on the way, perhaps; twice means that the source holds something else.
            return 0.0 if tried == 0 else None
        if isinstance(error, NotFound) and tried < self.target.options.backoff.retries:
            return 0.0  # the upload expired or was lost in a restart
        return self.target.options.backoff.pause(tried, error)

    def _reason(self, blob: Descriptor, error: RegistryError) -> RegistryError:
        if not isinstance(error, DigestMismatch):
            return error
        return DigestMismatch(
            f"{self.source.label}: blob {blob.digest} in {self.source_repository}: its content does not match its "
            f"digest; {self.target.label} refused it twice",
            status=error.status,
            codes=error.codes,
        )
