"""Lines of a log that may be gigabytes: a piece in memory at a time, gzip as it comes, no line longer than what is read of it."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MAX_LINE_BYTES: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"


@dataclass
class LogFile:
    """Iterate over it once. ``max_bytes`` (unpacked) bounds what is read. Afterwards: how many lines were too long and were passed
    over, and why reading ended early, empty where it did not."""

    stream: BinaryIO
    max_bytes: int | None = None
    too_long: int = 0
    ended_early: str = ""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._lines()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.ended_early = f"the packed file is damaged or not whole ({error}); what came before it was read"

    def _lines(self) -> Iterator[bytes]:
        head = _head(self.stream)
        source: BinaryIO = gzip.GzipFile(fileobj=self.stream) if head == _GZIP else self.stream  # type: ignore[assignment]
        left = self.max_bytes
        is_rest = False
        while line := source.readline(MAX_LINE_BYTES):
            if left is not None:
                left -= len(line)
                if left < 0:
                    self.ended_early = f"only the first {(self.max_bytes or 0) >> 20} MiB were read"
                    return
            is_whole = line.endswith(b"\n")
            if not is_whole and len(line) == MAX_LINE_BYTES and not is_rest:
                self.too_long += 1
            if not is_rest and (is_whole or len(line) < MAX_LINE_BYTES):
                yield line
            is_rest = not is_whole


def _head(stream: BinaryIO) -> bytes:
    """The first two bytes, left where they are; standard input cannot be wound back."""
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bytes(peek(2)[:2])
    head = stream.read(2)
    stream.seek(0)
    return head
