"""How far is a copy?"""

import threading
from dataclasses import dataclass, replace
from typing import Literal

Phase = Literal["reading", "blobs", "manifests", "verifying", "tags", "done"]


@dataclass(frozen=True)
class Progress:
    """Totals of blobs and bytes count what the target lacks; they are known from the phase `blobs` on."""

    phase: Phase = "reading"
    manifests_done: int = 0
    manifests_total: int = 0
    blobs_done: int = 0
    blobs_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


class Meter:
    """Counts from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Progress()

    def read(self) -> Progress:
        return self._now

    def enter(self, phase: Phase, *, manifests: int | None = None, blobs: int = 0, size: int = 0) -> None:
        with self._lock:
            now = replace(self._now, phase=phase)
            if manifests is not None:
                now = replace(now, manifests_total=manifests)
            if blobs:
                now = replace(now, blobs_total=now.blobs_total + blobs, bytes_total=now.bytes_total + size)
            self._now = now

    def add(self, *, manifests: int = 0, blobs: int = 0, size: int = 0) -> None:
        """`size` may be negative: a blob that starts anew takes back what it counted."""
        with self._lock:
            now = self._now
            self._now = replace(
                now,
                manifests_done=now.manifests_done + manifests,
                blobs_done=now.blobs_done + blobs,
                bytes_done=now.bytes_done + size,
            )
